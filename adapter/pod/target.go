package pod

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/link"
	"github.com/envoydbg/envoydbg/adapter/remote"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// Runner is where commands can be run.
type Runner interface {
	// Exec runs a command and waits for its end. A nil error may also mean that the
	// connection was lost.
	Exec(ctx context.Context, command []string, stdin io.Reader, stdout io.Writer) error
}

// Container is where Envoy is: commands run in it as its own user, with its own
// environment.
type Container interface {
	Runner
	// Stream runs a command whose stdin and stdout are the stream. Read ends with
	// io.EOF when the command has ended.
	Stream(ctx context.Context, command []string) io.ReadWriteCloser
	// Gone says of an error of either that the container is not there any more, or may
	// not be reached: trying again is of no use.
	Gone(err error) bool
	// NoProgram says of an error of Exec that the container does not have the program.
	NoProgram(err error) bool
	// Image is its image.
	Image() string
	// Shared are folders in it that a container beside it has, too.
	Shared() []string
	// Beside runs a command in a new container of an image in the same pod, with the same
	// user and rights. There its first process is the same as here. It ends with its
	// command, and cannot be removed. The errors are faults.
	Beside(ctx context.Context, image string, command []string) (Runner, error)
	// String names it for the user.
	String() string
	// Command is what its specification runs in it.
	Command() []string
}

// Target is a container. It serves one session.
type Target struct {
	// Find finds the container. Its errors are faults.
	Find func(ctx context.Context) (Container, error)
	// HelperDir is where the helper's binaries are; empty means beside the running
	// executable.
	HelperDir string
	// Check says of a container that was found whether a session can work in it; nil for
	// no check. It runs while the helper is placed. Its error is a fault.
	Check func(ctx context.Context, c Container, say func(format string, args ...any)) error
	// Places are folders in the container where the helper may be put, best first; nil
	// for those of an istio-proxy.
	Places []string
	// Say tells the user something outside a session; it may be nil.
	Say func(format string, args ...any)
	// DebugImage has a shell, for a container that has none; empty for an error there.
	DebugImage string
	// Reconnect is how long a cut connection may take to come back; 0 for the default.
	Reconnect time.Duration
	// Words name the target as a command line does.
	Words string
	// CacheDir keeps what is made for uploads between sessions; empty for the user's.
	CacheDir string

	container Container
	placed    placed
	session   looker // its helper; nil without one
	progress  func(format string, args ...any)
	say       func(format string, args ...any)
}

// Name implements startup.Target.
func (t *Target) Name() string {
	if t.container == nil {
		return ""
	}
	return t.container.String()
}

// Where implements startup.Target.
func (t *Target) Where() startup.Where { return startup.Where{Words: t.Words} }

// Connect implements startup.Target.
func (t *Target) Connect(ctx context.Context, n startup.Notices) (startup.Beside, error) {
	t.progress, t.say = n.Progress, n.Say
	if err := t.find(ctx); err != nil {
		return nil, err
	}
	container := t.container
	checked := make(chan error, 1)
	go func() {
		if t.Check == nil {
			checked <- nil
			return
		}
		checked <- t.Check(ctx, container, n.Say)
	}()
	var err error
	t.placed, err = t.place(ctx)
	if refused := <-checked; refused != nil {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	b, err := remote.Connect(ctx, remote.Options{
		Run: func(ctx context.Context, args ...string) (io.ReadWriteCloser, error) {
			// The stream outlives the call.
			stream := container.Stream(context.WithoutCancel(ctx), append([]string{t.placed.helper}, args...))
			return &watched{stream, container}, nil
		},
		Dir:       path.Join(t.placed.dir, sessionFolder),
		Words:     t.Words,
		Reconnect: t.Reconnect,
	}, n)
	if err != nil {
		return nil, err
	}
	t.session = b
	return b, nil
}

// looker looks for programs beside Envoy without a command of its own, which would take
// several round trips.
type looker interface {
	Look(ctx context.Context, p helper.LookParams) (helper.LookResult, error)
}

// find finds the container.
func (t *Target) find(ctx context.Context) (err error) {
	t.container, err = t.Find(ctx)
	return err
}

// watched marks an error that says that its container is gone.
type watched struct {
	io.ReadWriteCloser
	container Container
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadWriteCloser.Read(p)
	if err != nil && err != io.EOF && w.container.Gone(err) {
		err = link.Permanent(err)
	}
	return n, err
}

// Agent implements startup.Target: what the specification runs, or, where the
// container was parked by another command, what Istio's injector writes.
func (t *Target) Agent() []string {
	switch command := t.container.Command(); {
	case len(command) > 0 && path.Base(command[0]) == "envoy": // without an agent
		return command
	case !slices.Contains(command, "proxy"):
	case strings.HasSuffix(command[0], "pilot-agent"):
		return command
	default: // arguments alone: the image has the program
		return append([]string{"pilot-agent"}, command...)
	}
	return []string{"pilot-agent", "proxy", "sidecar", "--domain", "$(POD_NAMESPACE).svc.cluster.local",
		"--proxyLogLevel=warning", "--proxyComponentLogLevel=misc:error", "--log_output_level=default:info"}
}

// megabytes is a number of bytes for people.
func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
