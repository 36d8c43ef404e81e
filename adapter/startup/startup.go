package startup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/envoydbg/envoydbg/adapter/breakpoints"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/lldb/warm"
	"github.com/envoydbg/envoydbg/adapter/paths"
	"github.com/envoydbg/envoydbg/adapter/trace"
	"github.com/envoydbg/envoydbg/internal/tail"
)

// Host is the session, as its startup needs it.
type Host interface {
	// Attach sends lldb-dap the attach, and behind it what the client has asked
	// for meanwhile. answer is called once, unless there is an error.
	Attach(m *dapio.Message, answer lldb.Answer) error
	// AttachAnswered answers the client's request with lldb-dap's answer.
	AttachAnswered(answer *dapio.Message)
	// Attached: LLDB has Envoy.
	Attached()
	// Ask sends lldb-dap a request of the startup's own.
	Ask(ctx context.Context, m *dapio.Message) (*dapio.Message, error)
	// Said is what LLDB has written to its console last.
	Said() string
	// Preset: the breakpoint with this id, of LLDB's, is a preset's.
	Preset(id int64, name string)
	// Breakpoints calls settled, which must not block, with how the editor's
	// breakpoints stand, once none is being set.
	Breakpoints(settled func([]breakpoints.State))
	// Go lets Envoy run.
	Go()
	// Output shows text to the user. It may block while the client does not read.
	Output(category, text string)
	// Fault tells the user of a fault after which the session goes on. It may block as
	// Output does.
	Fault(f *fault.Fault)
	// RunInTerminal has the client run a command in a terminal, and returns when it has
	// said that it does. The error is a fault.
	RunInTerminal(ctx context.Context, title string, command []string) error
	// Ended: the sequence failed, or what it watches is at its end; nil if that
	// was to be expected.
	Ended(err error)
}

// Config describes a startup.
type Config struct {
	Session    string // 8 hex digits
	Attributes *config.Config
	Arguments  string // of the client's launch or attach, as JSON
	Dir        string // 0700, for sockets
	LLDBDap    string // path of the lldb-dap in use
	LLDB       lldb.Version
	StoodBy    bool // it has the program's symbols already
	Target     Target
	DebugDirs  []string   // lldb.DebugDirs
	Sources    paths.Load // nil for none
	Paths      *paths.Rewriter
	// Found is told what the session has found of the program, for the next one that debugs
	// it.
	Found func(warm.Found)
}

// Startup is the startup of one session.
type Startup struct {
	cfg    *config.Config
	opts   Config
	host   Host
	phases *Phases
	trace  *trace.Trace
	box    *mailbox
	done   chan struct{} // closed when the sequence has returned

	// What follows belongs to the sequence's goroutine.

	local   elfinfo.Info
	remote  helper.InspectResult
	sources *sourcesLoaded
	found   *placesFound
	armed   *gdbremote.Arming
	reached *gdbremote.Attached
	ready   bool // the client has set its breakpoints
	agent   agentState
	started atomic.Bool                   // the agent is
	starter func(pid int, f *fault.Fault) // who has asked for the agent
	gatePID int                           // who waits at the gate
	exited  bool                          // the debug server has told the end of Envoy
	settled *breakpointsSettled           // the editor's breakpoints
	presets []breakpoints.State
	// pastMain: main had begun before the breakpoint in it was set.
	pastMain bool
	// agentLog takes the agent's output if it is not shown: a file, or nothing.
	agentLog *os.File
	// hidden keeps the ends of an output that is not shown.
	hidden tail.Tail
	// partial holds, by stream, the first bytes of a character whose rest is still
	// to come; it belongs to the goroutine that brings the output.
	partial map[string][]byte

	// stops: Envoy is to stay stopped when LLDB lets go of it; stands: it does. The first
	// belongs to the goroutine of the end.
	stops  bool
	stands atomic.Bool

	// parts are what the end has to close; the sequence adds, End takes.
	partsMu sync.Mutex
	beside  Beside
	relay   *gdbremote.Relay
	ended   bool
	// terminal shows the agent's output, if that has one of its own. It is there before
	// there is any.
	terminal *ownTerminal
}

// New returns a startup that has not begun.
func New(c Config, h Host, p *Phases, t *trace.Trace) *Startup {
	return &Startup{cfg: c.Attributes, opts: c, host: h, phases: p, trace: t, box: newMailbox(), done: make(chan struct{}),
		partial: map[string][]byte{}}
}

// Start runs the sequence until ctx ends.
func (s *Startup) Start(ctx context.Context) {
	go func() {
		defer close(s.done)
		err := s.run(ctx)
		s.leaveMailbox()
		if errors.Is(err, errExpected) {
			err = nil
		}
		if ctx.Err() == nil {
			s.host.Ended(err)
		}
	}()
}

// run brings Envoy to its entry with the breakpoints bound, and then watches.
func (s *Startup) run(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.trace.Panic("the startup", p)
			err = fault.Panicked("the startup", p)
		}
	}()
	steps := []func(context.Context) error{s.preflight, s.server, s.symbols, s.startAgent, s.reach, s.bind}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			if ctx.Err() == nil { // else somebody has ended the session
				s.reveal()
			}
			return err
		}
	}
	s.phases.Finish(nil)
	return s.until(ctx, func() bool { return false })
}

// until takes notices until what the caller waits for is there.
func (s *Startup) until(ctx context.Context, there func() bool) error {
	for !there() {
		notice, err := s.box.take(ctx)
		if err != nil {
			return err
		}
		if err := s.note(ctx, notice); err != nil {
			return err
		}
	}
	return nil
}

// cause gives trouble that has already been told the word over its consequence.
func (s *Startup) cause(ctx context.Context, consequence error) error {
	for {
		notice, ok := s.box.poll()
		if !ok {
			return consequence
		}
		switch notice.(type) {
		case attachAnswered, debuggeeEnded:
			continue // a consequence, too
		}
		if err := s.note(ctx, notice); err != nil {
			return err
		}
	}
}

// awaited is the name the debug server waits for.
func (s *Startup) awaited() string {
	if s.cfg.Gate {
		return helper.GateBase(s.opts.Session)
	}
	return filepath.Base(s.remote.Path)
}

// own adds a part, unless the session has ended.
func (s *Startup) own(add func()) bool {
	s.partsMu.Lock()
	defer s.partsMu.Unlock()
	if !s.ended {
		add()
	}
	return !s.ended
}
