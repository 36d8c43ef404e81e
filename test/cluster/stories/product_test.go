package stories_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// lldbs are the versions that every story runs with.
var lldbs = []string{"19", "22"}

// product is envoydbg as a user runs it, against the cluster.
type product struct {
	t          *testing.T
	root       string
	kubeconfig string
	lldb       string
	program    string // envoydbg; its helper is beside it
}

func productOf(t *testing.T, c *cluster.Cluster, lldb string) *product {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	p := &product{t: t, root: root, kubeconfig: c.Kubeconfig(), lldb: lldb}
	p.program = p.tool("envoydbg")
	return p
}

// tool is a program or folder that the set-up has made.
func (p *product) tool(path string) string { return filepath.Join(p.root, "bin", path) }

// session is a run of envoydbg.
type session struct {
	*product
	cmd  *exec.Cmd
	mu   sync.Mutex
	out  bytes.Buffer
	more chan struct{}
	done chan error
}

// Write implements io.Writer.
func (s *session) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.more)
	s.more = make(chan struct{})
	return s.out.Write(b)
}

// start runs envoydbg.
func (p *product) start(args ...string) *session {
	p.t.Helper()
	return p.startFrom(nil, args...)
}

// startFrom is start with a standard input.
func (p *product) startFrom(stdin *os.File, args ...string) *session {
	p.t.Helper()
	s := &session{product: p, more: make(chan struct{}), done: make(chan error, 1)}
	s.cmd = exec.Command(p.program, args...)
	s.cmd.Env = append(os.Environ(), "KUBECONFIG="+p.kubeconfig)
	if stdin != nil {
		s.cmd.Stdin = stdin
	}
	s.cmd.Stdout, s.cmd.Stderr = s, s
	if err := s.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() { s.done <- s.cmd.Wait() }()
	p.t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			<-s.done
		}
	})
	return s
}

// debug runs a session with the sample Envoy of the image.
func (p *product) debug(namespace, target string, more ...string) *session {
	p.t.Helper()
	return p.debugFrom(nil, namespace, target, more...)
}

// debugFrom is debug with a standard input.
func (p *product) debugFrom(stdin *os.File, namespace, target string, more ...string) *session {
	p.t.Helper()
	return p.startFrom(stdin, append([]string{"run", target, "-n", namespace, "--lldb-dap", p.tool("tools/lldb-" + p.lldb + "/bin/lldb-dap"),
		"--work-tree", filepath.Join(p.root, "test/sample"), "--program", p.tool("sample/envoy.debug"),
		"--envoy-path", "/usr/local/bin/envoy-sample"}, more...)...)
}

func (s *session) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// until waits until the session has printed a text.
func (s *session) until(text string) {
	s.t.Helper()
	late := time.After(cluster.Limit)
	for {
		s.mu.Lock()
		found, more := strings.Contains(s.out.String(), text), s.more
		s.mu.Unlock()
		if found {
			return
		}
		select {
		case <-more:
		case err := <-s.done:
			s.done <- err
			s.t.Fatalf("the session has ended (%v) without %q:\n%s", err, text, s.text())
		case <-late:
			s.t.Fatalf("no %q within %v:\n%s", text, cluster.Limit, s.text())
		}
	}
}

// end waits for the end and returns the exit code.
func (s *session) end() int {
	s.t.Helper()
	select {
	case <-s.done:
		s.done <- nil
	case <-time.After(cluster.Limit):
		s.t.Fatalf("it does not end:\n%s", s.text())
	}
	return s.cmd.ProcessState.ExitCode()
}

// ends waits for the end, with this exit code, and checks that the lines are there in
// this order.
func (s *session) ends(code int, lines ...string) {
	s.t.Helper()
	if got := s.end(); got != code {
		s.t.Errorf("exit code %d, want %d:\n%s", got, code, s.text())
	}
	rest := s.text()
	for _, line := range lines {
		_, after, found := strings.Cut(rest, line)
		if !found {
			s.t.Errorf("no %q in its place in\n%s", line, s.text())
			return
		}
		rest = after
	}
}

// typed is a session whose commands the test types.
type typed struct {
	*session
	keyboard io.Writer
}

func (s *typed) say(command string) {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.keyboard, command); err != nil {
		s.t.Fatal(err)
	}
}

// typing starts a session with the sample whose commands the test types.
func (p *product) typing(namespace string, more ...string) *typed {
	p.t.Helper()
	return p.typed(func(in *os.File) *session { return p.debugFrom(in, namespace, "pod/"+victim, more...) })
}

// typed starts a session whose commands the test types.
func (p *product) typed(start func(stdin *os.File) *session) *typed {
	p.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { w.Close() })
	s := start(r)
	r.Close()
	return &typed{s, w}
}

// parked checks that nothing runs in a sidecar but what parks it.
func parked(t *testing.T, c *cluster.Cluster, namespace, pod string) {
	t.Helper()
	c.Parked(namespace, pod)
}
