//go:build linux

package process

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/internal/process/processtest"
)

// shell starts a shell script.
func shell(t *testing.T, command Command, script string, args ...string) *Child {
	t.Helper()
	command.Path, command.Args = "/bin/sh", append([]string{"-c", script}, args...)
	c, err := Start(t.Context(), command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Kill()
		_ = c.Stdin.Close()
		_ = c.Stdout.Close()
	})
	return c
}

func line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	s, err := r.ReadString('\n')
	if err != nil {
		t.Fatalf("read %q, %v", s, err)
	}
	return strings.TrimSpace(s)
}

func number(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	n, err := strconv.Atoi(line(t, r))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustEnd(t *testing.T, h *Handle) {
	t.Helper()
	if !(Handles{h}).Wait(time.Now().Add(limit)) {
		s, err := Read(h.PID)
		t.Errorf("process %d lives on: %+v, %v", h.PID, s, err)
	}
}

// What it wrote last is there after its end, as is how it ended.
func TestTheLastWordsOfAChild(t *testing.T) {
	c := shell(t, Command{Env: []string{"VARIABLE=set"}}, `read line; echo "got $line $VARIABLE $0"; echo trouble >&2; exit 3`, "zero")
	if _, err := io.WriteString(c.Stdin, "it\n"); err != nil {
		t.Fatal(err)
	}
	within(t, "its end", c.Done())
	said, err := io.ReadAll(c.Stdout)
	if err != nil || string(said) != "got it set zero\n" {
		t.Errorf("stdout %q, %v", said, err)
	}
	if c.Stderr() != "trouble" || c.Status() != "exit status 3" || c.State().ExitCode() != 3 {
		t.Errorf("stderr %q, status %q", c.Stderr(), c.Status())
	}
	c.Kill() // after the end it does nothing
}

// A reader that is slow, or late, misses nothing of what the child wrote.
func TestASlowReaderMissesNothing(t *testing.T) {
	const size = 200_000 // more than a pipe holds
	c := shell(t, Command{}, `head -c 200000 /dev/zero; echo end`)
	got := 0
	for buf := make([]byte, 1000); ; {
		n, err := c.Stdout.Read(buf)
		got += n
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if got > size-30_000 {
			<-c.Done()
		}
	}
	if got != size+len("end\n") {
		t.Errorf("%d bytes, want %d", got, size+4)
	}
}

// A Ctrl-C in a terminal goes to the terminal's process group.
func TestAChildHasAGroupOfItsOwn(t *testing.T) {
	for _, group := range []bool{true, false} {
		c := shell(t, Command{Group: group}, `echo; read line`)
		line(t, bufio.NewReader(c.Stdout))
		s, err := Read(c.PID())
		if err != nil || s.Group != c.PID() || (s.Session == c.PID()) == group {
			t.Errorf("group %t: %+v, %v", group, s, err)
		}
	}
}

// However a child ends that leads a group, the group ends with it. It is killed
// while the leader's number is still taken: after that it might be another's.
func TestTheGroupEndsWithTheChild(t *testing.T) {
	for name, end := range map[string]func(*Child){
		"killed":              (*Child).Kill,
		"killed by others":    func(c *Child) { _ = syscall.Kill(c.PID(), syscall.SIGKILL) },
		"ended by its stdin":  func(c *Child) { _ = c.Stdin.Close() },
		"killed a few times":  func(c *Child) { c.Kill(); c.Kill(); <-c.Done(); c.Kill() },
		"killed while ending": func(c *Child) { _ = c.Stdin.Close(); c.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			c := shell(t, Command{Group: true}, `sleep 1000 & echo $!; read line`)
			h, err := Open(number(t, bufio.NewReader(c.Stdout)))
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			end(c)
			within(t, "its end", c.Done())
			mustEnd(t, h)
		})
	}
}

// Without a group of the adapter's own making, the child alone is killed: what it
// has started may be what ends the rest in its own way.
func TestAChildWithoutAGroupIsKilledAlone(t *testing.T) {
	c := shell(t, Command{}, `sleep 1000 & echo $!; read line`)
	h, err := Open(number(t, bufio.NewReader(c.Stdout)))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	defer func() { _ = h.Signal(syscall.SIGKILL) }()
	c.Kill()
	within(t, "its end", c.Done())
	if h.Ended() {
		t.Error("its own child was killed, too")
	}
}

// A descendant in a group of its own keeps stdout and stderr open. The child's end
// is what counts, and nothing is lost that it wrote before.
func TestADescendantThatHoldsTheStreamsDelaysNothing(t *testing.T) {
	for _, waiting := range []bool{true, false} {
		c := shell(t, Command{Group: true}, `setsid sh -c 'echo $$; exec sleep 1000' & read line; echo last; echo trouble >&2; kill -9 $$`)
		out := bufio.NewReader(c.Stdout)
		h, err := Open(number(t, out))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Signal(syscall.SIGKILL); h.Close() })
		read := make(chan string, 1)
		reader := func() {
			rest, err := io.ReadAll(out)
			if err != nil {
				rest = append(rest, err.Error()...)
			}
			read <- string(rest)
		}
		if waiting { // a read is under way when the child ends
			go reader()
		}
		_, _ = io.WriteString(c.Stdin, "go\n")
		began := time.Now()
		within(t, "its end", c.Done())
		if !waiting {
			go reader()
		}
		select {
		case rest := <-read:
			if rest != "last\n" {
				t.Errorf("read %q", rest)
			}
		case <-time.After(limit):
			t.Fatal("stdout does not end")
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("took %s", took)
		}
		if c.Status() != "signal: killed" || c.Stderr() != "trouble" {
			t.Errorf("status %q, stderr %q", c.Status(), c.Stderr())
		}
		if h.Ended() {
			t.Error("the descendant is not there: nothing was tested")
		}
	}
}

// A descendant that writes all the time does not keep the reader busy for ever.
func TestADescendantThatFloodsStdoutDelaysNothing(t *testing.T) {
	c := shell(t, Command{Group: true}, `setsid yes & echo $!; read line`)
	out := bufio.NewReader(c.Stdout)
	for range 100 {
		line(t, out)
	}
	c.Kill()
	within(t, "its end", c.Done())
	read := make(chan error, 1)
	go func() { _, err := io.Copy(io.Discard, out); read <- err }()
	select {
	case err := <-read:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(limit):
		t.Error("stdout does not end")
	}
	_ = c.Stdout.Close() // ends yes by SIGPIPE
}

// The kernel ends a tied child when its parent is killed.
func TestATiedChildDiesWithItsParent(t *testing.T) {
	if os.Getenv("TIED") != "" {
		c, err := Start(context.Background(), Command{Path: "/bin/sleep", Args: []string{"1000"}, Group: true, Tied: true})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(os.Stderr, strconv.Itoa(c.PID())+"\n")
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	parent, err := Start(t.Context(), Command{Path: exe, Args: []string{"-test.run=^TestATiedChildDiesWithItsParent$"},
		Env: append(os.Environ(), roleVariable+"=tied", "TIED=1")})
	if err != nil {
		t.Fatal(err)
	}
	defer parent.Kill()
	within(t, "the parent's end", parent.Done())
	pid, err := strconv.Atoi(parent.Stderr())
	if err != nil {
		t.Fatal(err)
	}
	if h, err := Open(pid); err == nil {
		defer h.Close()
		mustEnd(t, h)
	} else if !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
}

func TestAProgramThatCannotBeStarted(t *testing.T) {
	for path, want := range map[string]error{filepath.Join(t.TempDir(), "none"): os.ErrNotExist, "/": os.ErrPermission} {
		if c, err := Start(t.Context(), Command{Path: path}); !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v", path, c, err)
		}
	}
	before, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		_, _ = Start(t.Context(), Command{Path: "/none"})
	}
	if after, err := os.ReadDir("/proc/self/fd"); err != nil || len(after) > len(before)+3 {
		t.Errorf("%d descriptors before, %d after, %v", len(before), len(after), err)
	}
}

// An exec that hangs holds nobody up: who waits for it can give up, and then the
// program does not stay when it runs after all.
func TestAnExecThatHangs(t *testing.T) {
	program := filepath.Join(t.TempDir(), "sleeper")
	b, err := os.ReadFile("/bin/sleep")
	if err == nil {
		err = os.WriteFile(program, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	release := processtest.HoldExec(t, program)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if c, err := Start(ctx, Command{Path: program, Args: []string{"1000"}, Group: true}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%+v, %v", c, err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	release()
	for deadline := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		all, err := All()
		if err != nil {
			t.Fatal(err)
		}
		children := 0
		for _, s := range all {
			if s.Parent == os.Getpid() {
				children++
			}
		}
		if children == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still there: %+v", all)
		}
	}
}
