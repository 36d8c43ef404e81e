package adapter

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/breakpoints"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/paths"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// open implements host: it decides what kind of session the launch or attach
// begins, and begins it.
func (s *Session) open(q *request) {
	s.do(q.Name, func() error {
		plain := !q.Get("arguments.target").Exists()
		arguments, err := config.Expand([]byte(q.Get("arguments").Raw))
		if err != nil {
			return err
		}
		if err := s.record(arguments); err != nil {
			return err
		}
		var cfg *config.Config
		if !plain {
			var warnings []*fault.Fault
			if cfg, warnings, err = config.Parse(arguments); err != nil {
				return err
			}
			for _, w := range warnings {
				s.client.fault(w)
			}
			if err := cfg.Check(); err != nil {
				return err
			}
			s.trace.Hide(append(config.Secrets(arguments), slices.Collect(maps.Values(cfg.Agent.Env))...))
		} else if arguments, err = s.plainArguments(arguments); err != nil {
			return err
		}
		if err := s.router.replace(q, arguments); err != nil {
			return err
		}
		s.folder = s.workingFolder(q.Get("arguments"))
		if err := s.needDebugger(q.Get("arguments.lldbDap").String(), cfg); err != nil {
			return err
		}
		if !plain && cfg.Local() {
			cfg.Agent.Cwd = cmp.Or(cfg.Agent.Cwd, s.opts.Folder)
		}
		debugDirs := s.debugDirs(q.Get("arguments"))
		if plain {
			s.router.plain(q, breakpoints.NewExplainer(s.plainSources(q, debugDirs), s.trace, debugDirs...))
			s.checkPython(q)
			return nil
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.over {
			return s.ctx.Err()
		}
		s.run = startup.New(startup.Config{Session: s.id, Attributes: cfg, Arguments: q.Get("arguments").Raw, Dir: s.peer.dir(),
			LLDBDap: s.peer.Path(), LLDB: s.peer.Version, StoodBy: s.peer.warm != nil, Target: s.opts.Target(cfg), DebugDirs: debugDirs, Sources: s.opts.Sources, Paths: s.paths, Found: s.nextWarm(cfg)}, s, s.phases, s.trace)
		s.router.begin(s.run, breakpoints.NewExplainer(cfg.Program, s.trace, debugDirs...), cfg.ByHand() == "")
		s.run.Start(s.ctx)
		return nil
	})
}

// replace gives a request other arguments.
func (r *router) replace(q *request, arguments []byte) error {
	m, err := q.Set("arguments", arguments)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	q.Message = m
	return nil
}

// plainArguments checks the arguments of a plain session, and puts the variables of their
// envFile into env, where lldb-dap looks.
func (s *Session) plainArguments(arguments []byte) ([]byte, error) {
	if err := config.CheckPlain(arguments); err != nil {
		return nil, err
	}
	with, variables, err := config.WithEnvFile(arguments)
	if err == nil {
		s.trace.Hide(append(config.Secrets(arguments), variables...))
	}
	return with, err
}

// debugDirs are where LLDB looks for separate debug files because of these arguments of
// launch or attach.
func (s *Session) debugDirs(arguments gjson.Result) []string {
	commands := lldb.InitCommands()
	for _, command := range arguments.Get("initCommands").Array() {
		commands = append(commands, command.Str)
	}
	return lldb.DebugDirs(commands, s.folder)
}

// workingFolder is lldb-dap's with these arguments of launch or attach.
func (s *Session) workingFolder(arguments gjson.Result) string {
	folder := arguments.Get("debuggerRoot").Str
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(s.opts.Folder, folder)
	}
	if abs, err := filepath.Abs(folder); err == nil {
		return abs
	}
	return folder
}

// plainTime bounds how long a plain session waits for its source map.
const plainTime = 5 * time.Second

// plainSources gives a plain session the source map of its program: that of launch
// and attach, or of the process to attach to. A sourceMap of the user's is all that
// counts; lldb-dap does what it says. Without a map, paths are as lldb-dap knows them.
// It returns the program, "" when it is not known.
func (s *Session) plainSources(q *request, debugDirs []string) (program string) {
	arguments := q.Get("arguments")
	program = arguments.Get("program").Str
	if pid := arguments.Get("pid").Int(); program == "" && pid > 0 {
		program, _ = os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	}
	if s.opts.Sources == nil || !filepath.IsAbs(program) || arguments.Get("sourceMap").Exists() {
		return program
	}
	loaded := make(chan struct{})
	go func() {
		defer s.trace.Recover("the source map")
		defer close(loaded)
		sources, err := s.opts.Sources(s.ctx, paths.Config{Program: program, WorkTree: arguments.Get("workTree").Str, DebugDirs: debugDirs}, s.paths.Use)
		s.trace.Line("session", "source map of %s: %v", program, err)
		if sources != nil {
			s.paths.Use(sources)
		}
	}()
	select {
	case <-loaded:
	case <-time.After(plainTime):
		s.trace.Line("session", "goes on without the source map, which is still being read")
	case <-s.ctx.Done():
	}
	return program
}

// progress implements host.
func (s *Session) progress(id string) bool { return s.phases.Owns(id) }

// timeline implements host.
func (s *Session) timeline() startup.Timeline { return s.phases.Timeline() }

// stopped implements host.
func (s *Session) stopped(description string) {
	s.phases.Moment(startup.MomentStopped, description)
	s.phases.TellTimeline()
}

// plain hands the launch or attach of a plain session to lldb-dap, and everything
// after it.
func (r *router) plain(q *request, e *breakpoints.Explainer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.explainer = e
	if r.state >= stateOver {
		return
	}
	r.move(stateRunning)
	r.forward(q)
	r.drain()
}

// begin makes the session a startup session. suspends: it can leave Envoy stopped.
func (r *router) begin(q sequence, e *breakpoints.Explainer, suspends bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.explainer = e
	r.sequence = q
	can := map[string]bool{}
	if suspends { // a startup can leave Envoy stopped when its client goes
		can["supportSuspendDebuggee"] = true
	}
	if r.debugger.Can("supportsRestartRequest") {
		// LLDB 19 says so and cannot; without it the client stops the session and
		// starts it again, which works.
		can["supportsRestartRequest"] = false
	}
	if len(can) == 0 {
		return
	}
	r.client.event("capabilities", map[string]any{"capabilities": can})
}

// What follows is the session as its startup sees it: startup.Host.

// Attach hands LLDB the attach of the adapter's making, and then what the client
// has asked for meanwhile.
func (s *Session) Attach(m *dapio.Message, answer lldb.Answer) error {
	r := s.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state >= stateOver {
		return context.Canceled
	}
	if _, err := r.debugger.Call(m, answer); err != nil {
		return err
	}
	r.move(stateWaiting)
	r.replay()
	r.drain()
	return nil
}

// Attached says that LLDB has Envoy.
func (s *Session) Attached() {
	r := s.router
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.state >= stateOver:
	case r.done != nil:
		r.move(stateConfigured)
	default:
		r.move(stateConfiguring)
	}
}

// AttachAnswered answers the client's launch or attach with lldb-dap's answer to
// ours.
func (s *Session) AttachAnswered(answer *dapio.Message) {
	r := s.router
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.opening
	r.opening = nil
	if q != nil {
		r.relay(q, r.paths.Answer(answer))
	}
}

// Ask sends lldb-dap a request of the startup's own.
func (s *Session) Ask(ctx context.Context, m *dapio.Message) (*dapio.Message, error) {
	s.mu.Lock()
	p := s.peer
	s.mu.Unlock()
	return p.Ask(ctx, m)
}

// Go lets the client's configurationDone through, upon which Envoy runs.
func (s *Session) Go() {
	r := s.router
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state >= stateOver {
		return
	}
	r.move(stateRunning)
	r.ran = time.Now()
	if r.done.Message != nil {
		r.forward(r.done)
	} else {
		r.sendDone()
	}
	r.drain()
}

// Preset names the breakpoint of a preset, by LLDB's id.
func (s *Session) Preset(id int64, name string) {
	s.router.mu.Lock()
	defer s.router.mu.Unlock()
	s.router.presets[id] = name
}

// Said is what LLDB has written last; its errors often say no more than "failed".
func (s *Session) Said() string {
	s.mu.Lock()
	p := s.peer
	s.mu.Unlock()
	return p.Said()
}

// Output shows text to the user. It blocks while the client is far behind.
func (s *Session) Output(category, text string) {
	_ = s.client.out.Wait(s.ctx, maxUnread)
	s.client.output(category, text)
}

// RunInTerminal has the client run a command in a terminal.
func (s *Session) RunInTerminal(ctx context.Context, title string, command []string) error {
	if !s.hello.Get("arguments.supportsRunInTerminalRequest").Bool() {
		return fault.NoTerminal("the client does not say that it opens terminals")
	}
	cwd := s.opts.Folder
	if cwd == "" {
		cwd = s.opts.TempDir // the command does not care
	}
	answered := make(chan *dapio.Message, 1)
	r := s.router
	r.mu.Lock()
	r.client.request("runInTerminal", map[string]any{"kind": "integrated", "title": title, "cwd": cwd, "args": command},
		func(seq int64) { r.asked[seq] = answered })
	r.mu.Unlock()
	select {
	case answer := <-answered:
		if !answer.Success {
			return fault.NoTerminal(cmp.Or(answer.Get("body.error.format").Str, answer.Get("message").Str, "the client has refused it"))
		}
		return nil
	case <-ctx.Done():
		if s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		return fault.NoTerminal("the client does not answer the request to open one")
	}
}

// Fault tells the user of a fault after which the session goes on. It blocks as Output
// does.
func (s *Session) Fault(f *fault.Fault) {
	_ = s.client.out.Wait(s.ctx, maxUnread)
	s.client.fault(f)
}

// Ended says that the startup, or what it watches, is at its end; nil if that was
// to be expected.
func (s *Session) Ended(err error) {
	if err == nil {
		s.mu.Lock()
		run := s.run
		s.mu.Unlock()
		count := run.Again()
		s.end(ending{atEnd: config.AtEndEnd, again: count > 0, count: count})
		return
	}
	s.end(ending{fault: fault.From(err)})
}
