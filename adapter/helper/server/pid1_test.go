//go:build linux

package server

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
)

// In a container whose PID 1 is the helper, the orphans of other execs become its
// children. They are not the session's.
func TestAHelperThatIsPID1LeavesTheOrphansOfOthersAlone(t *testing.T) {
	p := newPlace(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*bound)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", p.program, "stdio")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, ctx: ctx}
	c.news.L = &c.mu
	c.Client, err = helper.NewClient(struct {
		io.Reader
		io.WriteCloser
	}{out, in}, helper.Handlers{Output: func(p helper.OutputParams) { c.told(p) }, Exit: func(p helper.ExitParams) { c.told(p) }})
	if err != nil {
		t.Fatal(err)
	}
	hello, err := c.Hello(ctx, helper.HelloParams{Protocol: helper.Protocol, Session: testSession})
	if err != nil {
		t.Fatal(err)
	}
	if hello.PID == 1 {
		t.Error("PID 1 itself serves the session")
	}
	orphan := func(word string) witnesses {
		t.Helper()
		first := childOf(t, cmd.Process.Pid)
		b, err := exec.CommandContext(ctx, "nsenter", "--target", itoa(first), "--pid", "--mount", "--", "sh", "-c",
			"sleep 1000 </dev/null >/dev/null 2>&1 & echo "+word).CombinedOutput()
		if err != nil || strings.TrimSpace(string(b)) != word {
			t.Fatalf("nsenter: %v\n%s", err, b)
		}
		all, err := process.All()
		if err != nil {
			t.Fatal(err)
		}
		newest := 0
		for pid, s := range all {
			if s.Parent == first && filepath.Base(exe(pid)) == "sleep" && pid > newest {
				newest = pid
			}
		}
		if newest == 0 {
			t.Fatal("the orphan is no child of the namespace's PID 1")
		}
		return witness(t, newest)
	}
	before := orphan("before")
	c.start(helper.AgentStartParams{}, "say:here", "stay") // not busy
	await(c, "the agent's word", func(helper.OutputParams) bool { return c.outputHeld("stderr") == "here\n" })
	after := orphan("after")
	if r, err := c.End(ctx); err != nil || len(r.Left) > 0 {
		t.Errorf("end: %+v, %v", r, err)
	}
	c.exit("agent")
	for _, h := range append(before, after...) {
		if h.Ended() {
			t.Errorf("process %d of somebody else was ended", h.PID)
		}
	}
	_ = c.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("PID 1 ended with %v", err)
	}
	before.mustEnd(t, bound) // with their namespace
	p.gone()
}

// childOf is the only child of a process.
func childOf(t *testing.T, parent int) int {
	t.Helper()
	all, err := process.All()
	if err != nil {
		t.Fatal(err)
	}
	for pid, s := range all {
		if s.Parent == parent {
			return pid
		}
	}
	t.Fatalf("%d has no child", parent)
	return 0
}

// As PID 1, serve stays for as long as its daemon.
func TestADaemonUnderAHelperThatIsPID1(t *testing.T) {
	p := newPlace(t)
	cmd := exec.Command("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", p.program, "serve", "--dir", p.dir,
		"--session", testSession, "--lease", "1s")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := helper.ReadStatus(bufio.NewReaderSize(out, 64<<10)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || time.Since(began) < time.Second {
		t.Errorf("ended after %v: %v", time.Since(began), err)
	}
	p.gone()
}
