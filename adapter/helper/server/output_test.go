//go:build linux

package server

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
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
	printed(t, c.output("stdout"), size)
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

// printed fails unless text is what the agent's print:size writes.
func printed(t *testing.T, text string, size int) {
	t.Helper()
	for i := 0; i < size; i += 100 {
		if line := fmt.Sprintf("%099d\n", i); len(text) < i+100 || text[i:i+100] != line {
			t.Fatalf("at byte %d of %d: not %q", i, len(text), line)
		}
	}
	if len(text) > size+99 {
		t.Errorf("%d bytes, want %d", len(text), size)
	}
}

// A client that takes no output holds the agent back, and nothing else: requests
// are answered, what happens is told, and when the client goes on it gets all.
func TestAClientThatReadsNothingHoldsTheAgentBack(t *testing.T) {
	const size = 24 << 20
	free := make(chan struct{})
	c := openWith(t, func() { <-free })
	agent := c.start(helper.AgentStartParams{Env: map[string]string{"ENVOY": actor(t, "real-envoy")}},
		fmt.Sprintf("print:%d", size), "say:done", "exit:0")
	// It can write no more: its thread waits in write(2) to a full pipe.
	blocked(t, agent)
	for range 100 {
		if p, err := c.Process(c.ctx, helper.ProcessParams{PID: agent}); err != nil || !p.Alive {
			t.Fatalf("the agent: %+v, %v", p, err)
		}
	}
	if kb := residentKB(t, c.hello.PID); kb > 200<<10 { // the race detector takes most of it
		t.Errorf("the helper takes %d KiB", kb)
	}
	close(free)
	if exit := c.exit("agent"); exit.Output != int64((size+99)/100*100+len("done\n")) {
		t.Errorf("exit %+v", exit)
	}
	printed(t, c.output("stdout"), size)
	if got := c.output("stderr"); got != "done\n" {
		t.Errorf("stderr %q", got)
	}
}

// blocked waits until no thread of a process gets any further: all its output is
// held up. It looks for two equal counts of context switches.
func blocked(t *testing.T, pid int) {
	t.Helper()
	last, same := "", 0
	for deadline := time.Now().Add(bound); same < 10; time.Sleep(20 * time.Millisecond) {
		b, err := os.ReadFile("/proc/" + itoa(pid) + "/io")
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("the agent (pid %d) is not held back: %v\n%s", pid, err, b)
		}
		if string(b) != last {
			last, same = string(b), 0
		} else {
			same++
		}
	}
}

// residentKB is the memory a process uses.
func residentKB(t *testing.T, pid int) int {
	t.Helper()
	status, err := process.ReadStatus(pid)
	if err != nil {
		t.Fatal(err)
	}
	kb, err := strconv.Atoi(strings.TrimSuffix(status.Field("VmRSS"), " kB"))
	if err != nil {
		t.Fatal(err)
	}
	return kb
}

// What the helper tells does not wait behind output that nobody takes.
func TestNewsDoNotWaitForTheOutput(t *testing.T) {
	free := make(chan struct{})
	c := openWith(t, func() { <-free })
	envoy := actor(t, "real-envoy")
	agent := c.start(helper.AgentStartParams{Gate: true, GateTimeout: bound.Milliseconds(), EnvoyPath: envoy},
		"envoy", fmt.Sprintf("print:%d", 4<<20), "stay")
	pid := c.gate("waiting").PID
	blocked(t, agent)
	send(t, pid, syscall.SIGKILL)
	c.gate("ended")
	send(t, agent, syscall.SIGKILL)
	c.exit("agent")
	close(free)
}

// An agent that prints a lot as it ends, into a pipe that nobody reads, ends.
func TestTheEndDoesNotWaitForAReader(t *testing.T) {
	free := make(chan struct{})
	c := openWith(t, func() { <-free })
	agent := c.start(helper.AgentStartParams{}, fmt.Sprintf("at-term:%d", 1<<20), fmt.Sprintf("print:%d", 2<<20), "stay")
	blocked(t, agent)
	w := witness(t, agent)
	if left := c.end().Left; len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	w.mustEnd(t, 0)
	exit := c.exit("agent")
	if exit.Code != 3 {
		t.Errorf("the agent ended with %+v, want what its own end says", exit)
	}
	close(free)
	await(c, "the loss", func(p helper.OutputParams) bool {
		return p.Stream == "stderr" && strings.Contains(string(p.Data), "bytes of output are missing here")
	})
	// The next agent of the session is heard again.
	c.start(helper.AgentStartParams{}, "say:again", "exit:0")
	await(c, "the next agent", func(p helper.OutputParams) bool { return string(p.Data) == "again\n" })
}

func TestOutputFrames(t *testing.T) {
	var b bytes.Buffer
	want := []helper.OutputParams{{Stream: "stdout", Data: []byte("a\n")}, {Stream: "stderr", Data: bytes.Repeat([]byte("x"), helper.MaxOutput)},
		{Stream: "stdout", Data: []byte{}}}
	for _, p := range want {
		if err := helper.WriteOutput(&b, p); err != nil {
			t.Fatal(err)
		}
	}
	whole := bytes.Clone(b.Bytes())
	for i, w := range want {
		if p, err := helper.ReadOutput(&b); err != nil || p.Stream != w.Stream || !bytes.Equal(p.Data, w.Data) {
			t.Errorf("frame %d: %s, %d bytes, %v", i, p.Stream, len(p.Data), err)
		}
	}
	if _, err := helper.ReadOutput(&b); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	for name, broken := range map[string][]byte{
		"cut in the header": whole[:5], "cut in the data": whole[:9], "unknown stream": {3, 0, 0, 0, 0, 0, 0, 0},
		"too long": {1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},
	} {
		if _, err := helper.ReadOutput(bytes.NewReader(broken)); err == nil || err == io.EOF {
			t.Errorf("%s: %v", name, err)
		}
	}
}
