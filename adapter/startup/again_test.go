package startup

import (
	"fmt"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
)

// An Envoy that always ends soon ends the row of sessions; one that has lived begins it anew.
func TestSessionsBeginAgainABoundedNumberOfTimes(t *testing.T) {
	for _, c := range []struct {
		restart, reached bool
		before           int
		lived            time.Duration
		want             int
	}{
		{false, true, 0, 0, 0},
		{true, false, 0, 0, 0},
		{true, true, 0, 0, 1},
		{true, true, 2, 0, 3},
		{true, true, 3, 0, 0},
		{true, true, 3, time.Hour, 1},
	} {
		host := &listener{}
		s := &Startup{host: host, cfg: &config.Config{Restart: c.restart}, opts: Config{Arguments: fmt.Sprintf(`{"__restart":{"count":%d}}`, c.before)}}
		if c.reached {
			s.reached = &gdbremote.Attached{Time: time.Now().Add(-c.lived)}
		}
		if got := s.Again(); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
		if told := host.told != ""; told != (c.before == 3 && c.want == 0) {
			t.Errorf("%+v: the user is told %q", c, host.told)
		}
	}
}
