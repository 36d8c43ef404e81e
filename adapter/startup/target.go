package startup

import (
	"context"
	"time"

	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// Beside is the helper program, wherever it runs: the adapter's hands beside Envoy.
type Beside interface {
	Hello(ctx context.Context, p helper.HelloParams) (helper.HelloResult, error)
	Inspect(ctx context.Context, p helper.InspectParams) (helper.InspectResult, error)
	PlatformStart(ctx context.Context, p helper.PlatformStartParams) (helper.PlatformStartResult, error)
	PlatformConnect(ctx context.Context, p helper.PlatformConnectParams) (helper.PlatformConnectResult, error)
	ServerState(ctx context.Context, p helper.ServerStateParams) (helper.ServerStateResult, error)
	AgentStart(ctx context.Context, p helper.AgentStartParams) (helper.AgentStartResult, error)
	Process(ctx context.Context, p helper.ProcessParams) (helper.ProcessResult, error)
	// EndHeld kills what the debugger keeps stopped, where it stands.
	EndHeld(ctx context.Context) error
	End(ctx context.Context) (helper.EndResult, error)
	// KeepStopped ends the debug servers; what they keep stopped stays so. No breakpoint may
	// be in it.
	KeepStopped(ctx context.Context) error
	// Release lets the agent and Envoy go: they run on when the helper's client has
	// left, or stand still after KeepStopped. It returns their process ids.
	Release(ctx context.Context) (helper.ReleaseResult, error)
	// Dial opens a connection to a debug server's socket there.
	Dial(ctx context.Context, socket string) (gdbremote.Conn, error)
	// Done is closed when the connection to the helper is gone; Err then says why.
	Done() <-chan struct{}
	Err() error
	// Close drops the connection, upon which the helper ends everything it
	// started, and makes sure of that as far as this side can.
	Close() error
}

// Notices are what the helper tells by itself. The functions are called one
// after another, in the order of the helper's notifications.
type Notices struct {
	Output func(helper.OutputParams)
	Gate   func(helper.GateParams)
	Exit   func(helper.ExitParams)
	// Called tells the trace of a call of who ("helper", "cluster") that is answered or has
	// failed. It may be called from any goroutine.
	Called func(who, what string, took time.Duration, err error)
	// Progress tells the user how far something long is.
	Progress func(format string, args ...any)
	// Say tells the user something that stays to be read, with its newline.
	Say func(format string, args ...any)
	// Cut is called when the connection to the helper is cut off, with the reason and
	// with how long it is tried to make it again, and Resumed when it goes on, after
	// that time. Only a target on another machine calls them.
	Cut     func(why error, patience time.Duration)
	Resumed func(after time.Duration)
}

// Helper are the helper's own notices, as its client takes them.
func (n Notices) Helper() helper.Handlers {
	h := helper.Handlers{Output: n.Output, Gate: n.Gate, Exit: n.Exit}
	if n.Called != nil {
		h.Called = func(method string, took time.Duration, err error) { n.Called("helper", method, took, err) }
	}
	return h
}

// Target is a place where Envoy can be debugged.
type Target interface {
	// Connect reaches the helper there, after placing it if need be.
	Connect(ctx context.Context, n Notices) (Beside, error)
	// LLDBServer is the program to run there, given the launch attribute and
	// the lldb-dap in use. It may have to be brought there first. It is called after
	// Connect.
	LLDBServer(ctx context.Context, wanted, dap string, v lldb.Version) (string, error)
	// Name is what the user calls the place; "" for this machine.
	Name() string
	// Where is how the user gets there again. It is called after Connect.
	Where() Where
	// Agent is the command that starts Envoy there, when the launch attributes name
	// none. It is called after Connect.
	Agent() []string
}

// Holder is a Target that holds something for its session, which it gives back when what
// Connect has returned is closed.
type Holder interface {
	// Keep leaves what is held to the next session, which is the same once more. It is
	// called before that Close.
	Keep()
}

// Where is how the user gets to a place again.
type Where struct {
	// Words name it as a command line does; "" for this machine.
	Words string
	// Release is the command that gives back what the session holds there; "" for
	// nothing.
	Release string
}
