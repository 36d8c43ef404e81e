package command

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// What there is in a container, in one word, and whose it is.
func TestTheStateOfAnAgent(t *testing.T) {
	since := time.Date(2026, 2, 3, 4, 5, 6, 0, time.Local)
	envoy := helper.Running{PID: 7, Since: since, Args: []string{"/usr/local/bin/envoy", "-c", "x"}}
	ours := envoy
	ours.Ours = true
	for _, x := range []struct {
		s    helper.Status
		want string // the row, and those of the processes
	}{
		{helper.Status{}, "parked - - -"},
		{helper.Status{Processes: []helper.Running{envoy}}, "running not envoydbg's - - 7 " + when(since) + " /usr/local/bin/envoy -c x"},
		{helper.Status{State: helper.StateSession, Who: "ann@laptop", Since: since}, "session ann@laptop " + when(since) + " -"},
		{helper.Status{State: helper.StateRunning, Who: "ann@laptop", Since: since, Processes: []helper.Running{ours}},
			"running ann@laptop " + when(since) + " - 7 " + when(since) + " /usr/local/bin/envoy -c x"},
		{helper.Status{State: helper.StateStopped, Who: "ann@laptop", Since: since, Left: helper.Left{Until: since}},
			"stopped ann@laptop " + when(since) + " " + when(since)},
	} {
		var out bytes.Buffer
		if err := statusTable(&out, agentReport(x.s)); err != nil {
			t.Fatal(err)
		}
		got := strings.NewReplacer("STATE", "", "WHO", "", "SINCE", "", "UNTIL", "", "PID", "", "COMMAND", "").Replace(out.String())
		if got = strings.Join(strings.Fields(got), " "); got != x.want {
			t.Errorf("%q, want %q", got, x.want)
		}
	}
}
