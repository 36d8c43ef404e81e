package adapter

import (
	"context"
	"fmt"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/lldb/warm"
	"github.com/envoydbg/envoydbg/adapter/trace"
)

// peer is an lldb-dap of the session: the router's debugger, and the handler of
// what it says.
type peer struct {
	*lldb.DAP
	s    *Session
	warm *warm.Process // which it was before, if it stood by
}

// dir is the folder that its environment names.
func (p *peer) dir() string {
	if p.warm != nil {
		return p.warm.Dir
	}
	return p.s.opts.TempDir
}

// Knows implements debugger.
func (p *peer) Knows(command string) bool { return p.Version.Knows(command) }

// Can implements debugger.
func (p *peer) Can(capability string) bool { return p.Supports[capability] }

// Fault implements debugger: why a request got no answer.
func (p *peer) Fault() *fault.Fault { return fault.LLDBDapDied(p.Status(), p.Stderr(), p.Said()) }

// Unknown implements debugger.
func (p *peer) Unknown(command string) *fault.Fault {
	return fault.Unsupported(command, p.Version.Text)
}

// maxUnread is how many bytes the client may be behind before lldb-dap and the
// agent are held back.
const maxUnread = 8 << 20

// Ready implements lldb.Handler.
func (p *peer) Ready() { _ = p.s.client.out.Wait(p.s.ctx, maxUnread) }

// Message implements lldb.Handler.
func (p *peer) Message(m *dapio.Message) { p.s.router.fromLLDB(p, m) }

// Ended implements lldb.Handler.
func (p *peer) Ended() {
	if f, current := p.s.router.debuggerEnded(p); current {
		p.s.end(ending{fault: f})
	}
}

// initializeTime bounds the answer to initialize: loading liblldb from a cold
// disk takes seconds.
const initializeTime = 30 * time.Second

// startDebugger runs an lldb-dap and asks it to initialize with the client's own
// arguments. It returns the answer as lldb-dap gave it. In its environment is the
// variable that leads it to the relay. One for a plain session must not have it:
// its debuggee would inherit the variable, and a remote platform of the user's
// could not be connected to.
func (s *Session) startDebugger(path string, plain bool) (*peer, *dapio.Message, error) {
	path, err := lldb.FindDAP(path)
	if err != nil {
		return nil, nil, err
	}
	var env []string
	if !plain {
		env = warm.Environment(s.opts.TempDir)
	}
	p := &peer{s: s}
	if p.DAP, err = lldb.StartDAP(s.ctx, lldb.Program{Path: path, Folder: s.opts.Folder, Env: env}, p, s.trace); err != nil {
		return nil, nil, fault.LLDBDapStart(path, "", "", err)
	}
	ctx, cancel := context.WithTimeout(s.ctx, initializeTime)
	defer cancel()
	answer, err := p.Initialize(ctx, s.hello)
	if err != nil {
		_ = p.Close()
		return nil, nil, fault.LLDBDapStart(path, p.Stderr(), p.Said(), err)
	}
	if p.Version.Major < lldb.Oldest {
		_ = p.Close()
		text := p.Version.Text
		if text == "" {
			text = fmt.Sprintf("unknown (older than %d)", lldb.Oldest)
		}
		return nil, nil, fault.LLDBTooOld(path, text, lldb.Oldest)
	}
	return p, answer, nil
}

// use makes p the session's lldb-dap and ends the one before. If the session is
// over, p is ended instead.
func (s *Session) use(p *peer) error {
	s.mu.Lock()
	old, over := s.peer, s.over
	if !over {
		s.peer = p
	}
	s.mu.Unlock()
	if over {
		_ = p.Close()
		if p.warm != nil {
			p.warm.Close()
		}
		return s.ctx.Err()
	}
	s.router.use(p)
	if old != nil {
		_ = old.Close()
	}
	return nil
}

// initialize implements host: it starts lldb-dap, so that the capabilities are its
// own. If there is none the answer is of the adapter's making: the launch
// attributes may still name one, and an error then has a place where the user sees
// it.
func (s *Session) initialize(q *request) {
	s.hello = q.Message
	s.client.showsFaults.Store(s.opts.FaultEvents || q.Get("arguments.supportsEnvoyFaults").Bool())
	s.phases.Client(!s.opts.ShowsPhases && q.Get("arguments.supportsProgressReporting").Bool(), s.opts.PhaseEvents || q.Get("arguments.supportsEnvoyPhases").Bool())
	s.do("initialize", func() error {
		p, answer, err := s.startDebugger(s.opts.LLDBDap, false)
		if err != nil {
			s.trace.Line("session", "no lldb-dap yet: %v", err)
		} else if err := s.use(p); err != nil {
			return err
		}
		s.router.initialized(q, answer)
		return nil
	})
}

// do runs a step of the session's on a goroutine of its own. An error or a panic
// ends the session.
func (s *Session) do(what string, step func() error) {
	go func() {
		defer func() {
			if p := recover(); p != nil {
				s.trace.Panic(what, p)
				s.end(ending{fault: fault.Panicked(what, p)})
			}
		}()
		if err := step(); err != nil {
			s.end(ending{fault: fault.From(err)})
		}
	}()
}

// needDebugger makes the session's lldb-dap the one that the launch attributes
// name, and that of a plain session one without the relay: initialize came before
// either could be known. cfg is nil for a plain session. One that stands by with the
// program's symbols takes the place of either.
func (s *Session) needDebugger(wanted string, cfg *config.Config) error {
	s.mu.Lock()
	old := s.peer
	s.mu.Unlock()
	if wanted == "" {
		wanted = s.opts.LLDBDap
	}
	same := old != nil && (wanted == "" || wanted == s.opts.LLDBDap || wanted == old.Path())
	if same {
		wanted = old.Path()
	}
	p, answer := s.takeWarm(wanted, cfg)
	if p == nil {
		if same && cfg != nil {
			return nil
		}
		var err error
		if p, answer, err = s.startDebugger(wanted, cfg == nil); err != nil {
			return err
		}
	}
	if err := s.use(p); err != nil {
		return err
	}
	if same {
		return nil // with the capabilities that the client knows
	}
	// The client knows the capabilities of another lldb-dap, or none: tell all,
	// and take back those that are gone.
	now := withOwn(answer)
	if old != nil {
		for name := range old.Supports {
			if !p.Supports[name] && !own[name] {
				if patched, err := now.Set("body."+trace.Key(name), []byte("false")); err == nil {
					now = patched
				}
			}
		}
	}
	s.client.event("capabilities", map[string]any{"capabilities": rawJSON(now.Get("body").Raw)})
	return nil
}

// own are the capabilities that are the adapter's, whatever lldb-dap's are: it
// answers cancel itself where lldb-dap cannot.
var own = map[string]bool{"supportsCancelRequest": true, "supportTerminateDebuggee": true}

// withOwn adds the adapter's capabilities to an answer to initialize.
func withOwn(answer *dapio.Message) *dapio.Message {
	for name := range own {
		if patched, err := answer.Set("body."+name, []byte("true")); err == nil {
			answer = patched
		}
	}
	return withoutOtherLanguages(answer)
}
