//go:build linux

package server

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

func TestOutputComesWholeAndBeforeTheExit(t *testing.T) {
	const size = 4 << 20
	c := openSession(t)
	c.start(helper.AgentStartParams{}, "say:begin", fmt.Sprintf("print:%d", size), "say:end", "exit:7")
	if exit := c.exit("agent"); exit.Code != 7 {
		t.Errorf("exit %+v", exit)
	}
	c.mu.Lock()
	last := c.log[len(c.log)-1]
	c.mu.Unlock()
	if _, ok := last.(helper.ExitParams); !ok {
		t.Errorf("told last: %T, want the exit", last)
	}
	out := c.output("stdout")
	for i := 0; i < size; i += 100 {
		if line := fmt.Sprintf("%099d\n", i); len(out) < i+100 || out[i:i+100] != line {
			t.Fatalf("at byte %d of %d: not %q", i, len(out), line)
		}
	}
	if got := c.output("stderr"); got != "begin\nend\n" {
		t.Errorf("stderr %q", got)
	}
}

// An Envoy that outlives the agent holds its pipes open: the exit is told all
// the same, and what Envoy writes later still arrives.
func TestExitIsToldWhileAnOrphanHoldsThePipes(t *testing.T) {
	c := openSession(t)
	c.start(helper.AgentStartParams{Env: map[string]string{"ENVOY": actor(t, "real-envoy")}}, "envoy-anyway", "exit:0")
	c.exit("agent")
	c.envoy()
}

func TestSlowReaderHoldsUpNobody(t *testing.T) {
	const size = 24 << 20
	free := make(chan struct{})
	c := openWith(t, func() { <-free })
	agent := c.start(helper.AgentStartParams{}, fmt.Sprintf("print:%d", size), "exit:0")
	w := witness(t, agent)
	w.mustEnd(t, bound) // though not one byte has been read
	close(free)
	c.exit("agent")
	m := regexp.MustCompile(`(?m)^envoydbg: (\d+) bytes of output are missing here`).FindStringSubmatch(c.output("stderr"))
	if m == nil {
		t.Fatalf("nothing said of missing bytes: %q", c.output("stderr"))
	}
	lost, _ := strconv.Atoi(m[1])
	out := c.output("stdout")
	if whole := (size + 99) / 100 * 100; len(out)+lost != whole {
		t.Errorf("%d bytes arrived and %d are said to be missing, want %d together", len(out), lost, whole)
	}
	if !strings.HasSuffix(out, fmt.Sprintf("%099d\n", (size-1)/100*100)) {
		t.Errorf("the last line is missing: …%q", out[max(0, len(out)-120):])
	}
}

func TestQueueDropsTheOldestOutputOnly(t *testing.T) {
	q := newQueue(10)
	q.notify("first", nil)
	q.output("stdout", []byte("aaaaaa"))
	q.output("stderr", []byte("bbbb"))
	q.notify("second", nil)
	q.output("stdout", []byte("cc"))
	var got []string
	for len(got) < 5 {
		method, params, ok := q.take()
		if !ok {
			t.Fatal("closed")
		}
		if o, ok := params.(helper.OutputParams); ok {
			method = o.Stream + " " + strings.TrimSpace(string(o.Data))
		}
		got = append(got, method)
	}
	want := []string{"stderr envoydbg: 6 bytes of output are missing here: the client read too slowly.", "first", "stderr bbbb", "second", "stdout cc"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	closed := make(chan bool)
	go func() { _, _, ok := q.take(); closed <- ok }()
	q.close()
	select {
	case ok := <-closed:
		if ok {
			t.Error("took something from a closed queue")
		}
	case <-time.After(bound):
		t.Error("take did not return")
	}
}
