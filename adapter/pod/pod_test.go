package pod

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/test/support/checkout"
)

// room is a Container that is this machine. It cannot be had otherwise without a
// cluster; the suite of the cluster has real ones.
type room struct {
	mu    sync.Mutex
	ran   []string // the command lines
	fails func(command []string) error
	cut   bool // each command ends without a word, as when the kubelet dies

	shared       []string
	beside       []string // the images of the rooms made beside it
	refuses      error
	carrierFails func(command []string) error
	early        bool // what stores something does not say so
	carrierEnds  bool // after it has stored something, before it says so
}

func (r *room) Exec(ctx context.Context, command []string, stdin io.Reader, stdout io.Writer) error {
	r.mu.Lock()
	r.ran = append(r.ran, strings.Join(command, " "))
	r.mu.Unlock()
	if r.fails != nil {
		if err := r.fails(command); err != nil {
			return err
		}
	}
	if r.cut {
		return nil
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, &stderr
	if r.early && strings.Contains(command[2], "sha256sum") {
		cmd.Stdout = io.Discard
	}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, stderr.String())
	}
	return nil
}

func (r *room) Stream(ctx context.Context, command []string) io.ReadWriteCloser {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	_ = cmd.Start() // if it fails, out is at its end
	return struct {
		io.Reader
		io.Writer
		io.Closer
	}{out, in, in}
}

func (*room) Gone(error) bool { return false }
func (*room) NoProgram(err error) bool {
	return errors.Is(err, errNoProgram) || errors.Is(err, os.ErrNotExist)
}
func (*room) Image() string      { return "istio/proxyv2:1.2.3-distroless" }
func (r *room) Shared() []string { return r.shared }
func (*room) String() string     { return "pod/test container room" }
func (*room) Command() []string  { return []string{"pilot-agent", "wait"} }

// Beside is another room of this machine.
func (r *room) Beside(_ context.Context, image string, command []string) (Runner, error) {
	r.beside = append(r.beside, image)
	if r.refuses != nil {
		return nil, r.refuses
	}
	return &room{fails: r.carrierFails, early: r.carrierEnds}, nil
}

var errNoProgram = errors.New("executable file not found")

// bare is a container without a shell.
func bare(command []string) error {
	if command[0] == "sh" {
		return errNoProgram
	}
	return nil
}

// helperDir has a helper.
var helperDir string

func TestMain(m *testing.M) {
	code := 1
	defer func() { os.Exit(code) }()
	dir, err := os.MkdirTemp("", "pod-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "envoydbg-helper-linux-amd64"), "./adapter/helper/envoydbg-helper")
	if build.Dir, err = checkout.Root(); err != nil {
		panic(err)
	}
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH=amd64")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %s\n", err, out)
		return
	}
	helperDir = dir
	code = m.Run()
}

// target is a target in a room with one folder.
func target(t *testing.T, r *room) *Target {
	t.Helper()
	place, err := os.MkdirTemp("", "room-") // short enough for unix sockets below it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(place) })
	return &Target{Find: func(context.Context) (Container, error) { return r, nil }, HelperDir: helperDir,
		Places: []string{"/nonexistent", place}, CacheDir: t.TempDir(), progress: func(string, ...any) {}, say: func(string, ...any) {}}
}

// quiet are notices that nobody reads.
var quiet = startup.Notices{Progress: func(string, ...any) {}, Say: func(string, ...any) {}}

func connect(t *testing.T, to *Target) startup.Beside {
	t.Helper()
	b, err := to.Connect(t.Context(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // else the daemon would wait for its lease
		_, _ = b.End(context.Background())
		_ = b.Close()
	})
	return b
}

// The helper is brought into the container once, is found there the next time, and
// speaks over the stream of a command.
func TestTheHelperIsPlacedOnce(t *testing.T) {
	r := &room{}
	first := target(t, r)
	for round, commands := range []int{2, 1} { // look and put; look
		r.ran = nil
		to := &Target{Find: first.Find, HelperDir: helperDir, Places: first.Places, CacheDir: first.CacheDir}
		b := connect(t, to)
		hello, err := b.Hello(t.Context(), helper.HelloParams{Protocol: helper.Protocol, Session: "01234567"})
		if err != nil || hello.Arch != "amd64" {
			t.Fatalf("round %d: %+v, %v", round, hello, err)
		}
		if len(r.ran) != commands {
			t.Errorf("round %d: %d commands: %q", round, len(r.ran), r.ran)
		}
		if st, err := os.Stat(to.placed.dir); err != nil || st.Mode().Perm() != 0o700 {
			t.Errorf("the folder: %v, %v", st, err)
		}
		if _, err := b.End(t.Context()); err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// lldb-server is brought with its libraries, once, and runs there.
func TestLLDBServerIsBroughtOnce(t *testing.T) {
	r := &room{}
	to := target(t, r)
	connect(t, to)
	for round, commands := range []int{1, 0} { // that it is there says the session's helper
		r.ran = nil
		path, err := to.uploadServer(t.Context(), "/usr/bin/env")
		if err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(path, "echo", "it runs").CombinedOutput(); err != nil || string(out) != "it runs\n" {
			t.Errorf("%v: %s", err, out)
		}
		if len(r.ran) != commands {
			t.Errorf("round %d: %q", round, r.ran)
		}
	}
}

// What was brought can be removed, but not from under a session.
func TestWhatWasBroughtIsRemovedWhenNobodyUsesIt(t *testing.T) {
	r := &room{}
	to := target(t, r)
	if gone, err := to.Clean(t.Context()); err != nil || len(gone) > 0 {
		t.Errorf("before anything was brought: %v, %v", gone, err)
	}
	b := connect(t, to)
	if _, err := b.Hello(t.Context(), helper.HelloParams{Protocol: helper.Protocol, Session: "01234567"}); err != nil {
		t.Fatal(err)
	}
	var f *fault.Fault
	if _, err := to.Clean(t.Context()); !errors.As(err, &f) || f.Code != 1610 {
		t.Errorf("during a session: %v", err)
	}
	if _, err := b.End(t.Context()); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	// The helper removes its folder a moment after it has answered.
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(to.placed.dir, sessionFolder)); errors.Is(err, os.ErrNotExist) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the helper has not removed its folder")
		}
	}
	if err := to.Logs(t.Context(), false, io.Discard); !errors.As(err, &f) || f.Code != 1609 {
		t.Errorf("logs after the session: %v", err)
	}
	gone, err := to.Clean(t.Context())
	if err != nil || len(gone) != 1 || gone[0] != to.placed.dir {
		t.Errorf("after the session: %v, %v", gone, err)
	}
	if _, err := os.Stat(to.placed.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestAParkedContainerRunsWhatTheInjectorWrites(t *testing.T) {
	for _, x := range []struct{ command, want string }{
		{"pilot-agent wait --url http://127.0.0.1:1/", "pilot-agent proxy sidecar --domain"},
		{"sleep infinity", "pilot-agent proxy sidecar --domain"},
		{"", "pilot-agent proxy sidecar --domain"},
		{"proxy sidecar --log_output_level=debug", "pilot-agent proxy sidecar --log_output_level=debug"},
		{"/usr/local/bin/pilot-agent proxy router", "/usr/local/bin/pilot-agent proxy router"},
		{"/usr/local/bin/envoy -c proxy", "/usr/local/bin/envoy -c proxy"},
	} {
		to := &Target{container: parked{&room{}, strings.Fields(x.command)}}
		if got := strings.Join(to.Agent(), " "); !strings.HasPrefix(got, x.want) {
			t.Errorf("%q: %s", x.command, got)
		}
	}
}

type parked struct {
	*room
	command []string
}

func (p parked) Command() []string { return p.command }

// Each way in which the helper cannot be placed is told as what it is.
func TestWhereTheHelperCannotBePlaced(t *testing.T) {
	broken := errors.New("upgrade refused")
	for name, x := range map[string]struct {
		room   *room
		change func(*Target)
		code   int
		says   string
	}{
		"no command runs":      {&room{fails: func([]string) error { return broken }}, nil, 1606, "upgrade refused"},
		"the connection ends":  {&room{cut: true}, nil, 1606, errLost.Error()},
		"nothing is writable":  {&room{}, func(to *Target) { to.Places = []string{"/proc", "/nonexistent"} }, 1607, "/proc"},
		"only memory":          {&room{}, func(to *Target) { to.Places = []string{"/dev/shm"} }, 1607, "it is memory"},
		"no helper is here":    {&room{}, func(to *Target) { to.HelperDir = "/nonexistent" }, 1105, "envoydbg-helper-linux"},
		"the checksum differs": {&room{fails: spoil}, nil, 1607, "checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			to := target(t, x.room)
			if x.change != nil {
				x.change(to)
			}
			_, err := to.Connect(t.Context(), quiet)
			var f *fault.Fault
			if !errors.As(err, &f) || f.Code != x.code || !strings.Contains(f.Error(), x.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// spoil makes the checksum that is compared another one.
func spoil(command []string) error {
	if strings.Contains(command[2], "sha256sum") {
		command[len(command)-1] = strings.Repeat("0", 64)
	}
	return nil
}
