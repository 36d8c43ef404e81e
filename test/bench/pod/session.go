package pod

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// Bounds of a session.
const (
	stopTime  = 90 * time.Second
	leaveTime = 20 * time.Second
)

// versions of LLDB that are measured.
var versions = []int{19, 22}

// envoyInPod is the sample in the image of the sidecars.
const envoyInPod = "/usr/local/bin/envoy-sample"

// lab is a held sidecar, and how it is reached.
type lab struct {
	tb         testing.TB
	c          *cluster.Cluster
	namespace  string
	kubeconfig string
	dir        string // scratch
	root       string // of the checkout
}

func makeLab(tb testing.TB) *lab {
	tb.Helper()
	c := cluster.Of(tb)
	l := &lab{tb: tb, c: c, namespace: c.Demo(), kubeconfig: c.Kubeconfig(), dir: tb.TempDir(), root: checkout.Path(tb)}
	// Copies, because they may be rebuilt during the runs.
	for _, name := range []string{"envoydbg", "envoydbg-helper-linux-amd64", "envoydbg-helper-linux-arm64"} {
		program, err := os.ReadFile(filepath.Join(l.root, "bin", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(l.dir, name), program, 0o700)
		}
		if err != nil {
			tb.Fatalf("it is made by make build: %v", err)
		}
	}
	return l
}

// envoydbg is the program that is measured.
func (l *lab) envoydbg() string { return filepath.Join(l.dir, "envoydbg") }

// target is the sidecar's pod, container its container.
const (
	target    = "fortio-server-0"
	container = "istio-proxy"
)

// inPod runs a shell script in the sidecar.
func (l *lab) inPod(script string, args ...string) (string, error) {
	return l.c.TryKubectl(append([]string{"exec", "-n", l.namespace, target, "-c", container, "--", "sh", "-c", script, "sh"}, args...)...)
}

// clean removes from the pod what sessions have brought there.
func (l *lab) clean() error {
	cmd := exec.Command(l.envoydbg(), "clean", "pod/"+target, "-n", l.namespace)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.kubeconfig)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("clean: %w: %s", err, out)
	}
	return nil
}

// session is `envoydbg dap` as an editor runs it.
type session struct {
	*client.Client
	cmd    *exec.Cmd
	trace  string
	began  time.Time // when it was started
	thread int64
	attach int64 // number of the request
}

// open starts a session, up to the first stop. The attributes are added to those that
// every session has; variables are added to its environment.
func (l *lab) open(ctx context.Context, lldb int, attributes map[string]any, variables ...string) (*session, client.Entry, error) {
	trace, err := os.CreateTemp(l.dir, "trace-")
	if err != nil {
		return nil, client.Entry{}, err
	}
	trace.Close()
	s := &session{trace: trace.Name(), began: time.Now()}
	s.cmd = exec.Command(l.envoydbg(), "dap", "--phase-events", "--log", s.trace,
		"--lldb-dap", filepath.Join(l.root, fmt.Sprintf("bin/tools/lldb-%d/bin/lldb-dap", lldb)),
		"--work-tree", filepath.Join(l.root, "test/sample"))
	s.cmd.Env = append(append(os.Environ(), "KUBECONFIG="+l.kubeconfig), variables...)
	s.cmd.Stderr = os.Stderr
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, client.Entry{}, err
	}
	// Not StdoutPipe: Wait would close it under the reader.
	out, theirs, err := os.Pipe()
	if err != nil {
		return nil, client.Entry{}, err
	}
	s.cmd.Stdout = theirs
	err = s.cmd.Start()
	theirs.Close()
	if err != nil {
		return nil, client.Entry{}, err
	}
	s.Client = client.New(out, in)
	stop, err := s.reach(ctx, l, attributes)
	if err != nil {
		err = fmt.Errorf("LLDB %d: %w", lldb, err)
	}
	return s, stop, err
}

func (s *session) reach(ctx context.Context, l *lab, attributes map[string]any) (stop client.Entry, err error) {
	if err := s.Call(ctx, "initialize", map[string]any{"adapterID": "envoy", "linesStartAt1": true, "columnsStartAt1": true,
		"pathFormat": "path"}, nil); err != nil {
		return stop, err
	}
	all := map[string]any{"target": "pod/" + target, "namespace": l.namespace, "envoyPath": envoyInPod,
		"program": filepath.Join(l.root, "bin/sample/envoy.debug")}
	for name, value := range attributes {
		all[name] = value
	}
	if s.attach, err = s.Send("attach", all); err != nil {
		return stop, err
	}
	next := func(from int) (client.Entry, error) {
		return s.Wait(ctx, from, func(e client.Entry) bool {
			return !e.Sent && (e.Name == "initialized" || e.Name == "stopped" || e.Name == "terminated" || e.RequestSeq == s.attach && !e.Success)
		})
	}
	for from := 0; ; from = stop.Index + 1 {
		if stop, err = next(from); err != nil {
			return stop, err
		}
		switch stop.Name {
		case "initialized":
			if _, err := s.Send("configurationDone", nil); err != nil {
				return stop, err
			}
		case "stopped":
			s.thread = stop.Get("body.threadId").Int()
			return stop, nil
		default:
			return stop, fmt.Errorf("no stop but %s %s%s", stop.Name, stop.Get("body.error.format"), stop.Get("message"))
		}
	}
}

// phases are how long each step of the startup took, in its order.
func (s *session) phases() (names []string, took map[string]time.Duration) {
	took = map[string]time.Duration{}
	for _, e := range s.Log() {
		if e.Name == "envoyPhase" && e.Get("body.state").String() == "end" {
			name := e.Get("body.phase").String()
			names = append(names, name)
			took[name] = time.Duration(e.Get("body.milliseconds").Float() * float64(time.Millisecond))
		}
	}
	return names, took
}

// at is when the first message that matches was sent or received.
func (s *session) at(match func(client.Entry) bool) (time.Time, bool) {
	for _, e := range s.Log() {
		if match(e) {
			return e.Time, true
		}
	}
	return time.Time{}, false
}

// close leaves as an editor does, and waits for the adapter's end.
func (s *session) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	err := s.Call(ctx, "disconnect", nil, nil)
	s.Client.Close()
	timer := time.AfterFunc(leaveTime, func() { _ = s.cmd.Process.Kill() })
	_ = s.cmd.Wait()
	if !timer.Stop() {
		err = errors.Join(err, errors.New("envoydbg did not end"))
	}
	return err
}

// withLog adds the messages of the session to an error.
func (s *session) withLog(err error) error {
	if err == nil || s == nil || s.Client == nil {
		return err
	}
	return fmt.Errorf("%w\n%s", err, s.Dump())
}

// nothingRuns fails unless the sidecar is parked.
func (l *lab) nothingRuns() {
	l.tb.Helper()
	var out string
	for deadline := time.Now().Add(leaveTime); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		out, _ = l.inPod("ps -e -o args=")
		if !strings.Contains(out, "envoy") && !strings.Contains(out, "lldb") && !strings.Contains(out, "proxy sidecar") {
			return
		}
	}
	l.tb.Errorf("left in the pod:\n%s", out)
}
