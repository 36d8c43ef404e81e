package cost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/test/support/platform"
)

// place is where all sessions are stopped: in a loop of 200 iterations.
const place = "Envoy::Server::InstanceImpl::loadRuntimeFlags"

// parts are the programs.
type parts struct {
	envoydbg, envoy, debug string
	bin                    string // with lldb-dap and lldb-server
	dir                    string // scratch, short enough for sockets
	self                   string // this program
}

func find(root, dir, envoydbg string, lldb int) (parts, error) {
	p := parts{dir: dir}
	var err error
	if p.self, err = os.Executable(); err != nil {
		return p, err
	}
	for path, at := range map[string]*string{envoydbg: &p.envoydbg, "bin/sample/envoy": &p.envoy,
		"bin/sample/envoy.debug": &p.debug, fmt.Sprintf("bin/tools/lldb-%d/bin", lldb): &p.bin} {
		if *at, err = filepath.EvalSymlinks(filepath.Join(root, path)); err != nil {
			return p, fmt.Errorf("it is made by make setup build: %w", err)
		}
	}
	return p, nil
}

func (p parts) dap() string { return filepath.Join(p.bin, "lldb-dap") }

// session is one debug session at place.
type session struct {
	*peer
	end    func() error
	thread int
}

func (s *session) close() error {
	err := s.peer.close()
	if s.end != nil {
		err = errors.Join(err, s.end())
	}
	return err
}

// The sides that are compared.
const (
	direct = iota
	copied // through a program that passes bytes on and does no more
	proxied
	sides
)

// way is a kind of session, and how each side begins it.
type way struct {
	name  string
	begin [sides]func(parts) (*session, error)
}

var ways = []way{
	{"plain session", [sides]func(parts) (*session, error){
		direct:  func(p parts) (*session, error) { return plain(p, p.dap()) },
		copied:  func(p parts) (*session, error) { return plain(p, p.copier()...) },
		proxied: func(p parts) (*session, error) { return plain(p, p.envoydbg, "dap", "--lldb-dap", p.dap()) },
	}},
	{"startup session", [sides]func(parts) (*session, error){
		direct:  func(p parts) (*session, error) { return startup(p, p.dap()) },
		copied:  func(p parts) (*session, error) { return startup(p, p.copier()...) },
		proxied: proxiedStartup,
	}},
}

func plain(p parts, command ...string) (*session, error) {
	return begin(p, nil, "launch", map[string]any{"program": p.debug}, command...)
}

// startup is the same debugger and debug server without envoydbg.
func startup(p parts, command ...string) (*session, error) {
	dir, err := os.MkdirTemp(p.dir, "direct-")
	if err != nil {
		return nil, err
	}
	server, err := platform.Start(filepath.Join(p.bin, "lldb-server"), dir, os.Environ(), answerTime)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	end := func() error {
		server.End()
		return os.RemoveAll(dir)
	}
	return begin(p, end, "launch", map[string]any{
		"initCommands": server.Connect(),
		"launchCommands": []string{
			fmt.Sprintf("target create --no-dependents --remote-file %s %s", p.envoy, p.debug),
			"process launch --stop-at-entry",
		},
	}, command...)
}

// proxiedStartup has an agent that only becomes the program that it is told to
// start.
func proxiedStartup(p parts) (*session, error) {
	const agent = `p=${PROXY_CONFIG#*\"binaryPath\":\"}; exec "${p%%\"*}"`
	return begin(p, nil, "attach", map[string]any{
		"target": "local", "program": p.debug, "envoyPath": p.envoy,
		"agent": map[string]any{"command": []string{"/bin/sh", "-c", agent}},
	}, p.envoydbg, "dap", "--lldb-dap", p.dap())
}

// begin brings a session to place.
func begin(p parts, end func() error, request string, arguments map[string]any, command ...string) (*session, error) {
	c, err := dial(p.dir, command...)
	if err != nil {
		return nil, err
	}
	s := &session{peer: c, end: end}
	if err := s.reach(request, arguments); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", strings.Join(command, " "), err), s.close())
	}
	return s, nil
}

func (s *session) reach(request string, arguments map[string]any) error {
	if err := s.call("initialize", map[string]any{"adapterID": "envoy", "linesStartAt1": true, "columnsStartAt1": true,
		"pathFormat": "path"}, nil); err != nil {
		return err
	}
	if _, err := s.send(request, arguments); err != nil {
		return err
	}
	if _, err := s.event("initialized"); err != nil {
		return err
	}
	if err := s.call("setFunctionBreakpoints", map[string]any{"breakpoints": []any{map[string]any{"name": place}}}, nil); err != nil {
		return err
	}
	if _, err := s.send("configurationDone", nil); err != nil {
		return err
	}
	stopped, err := s.event("stopped")
	if err != nil {
		return err
	}
	atBreakpoint := func() bool { return strings.Contains(stopped.Get("body.reason").String(), "breakpoint") }
	_, entry := arguments["launchCommands"]
	for n := 0; entry && !atBreakpoint() && n < 2; n++ {
		// lldb-dap 19 runs launchCommands asynchronously, and rarely reports the
		// stop at the entry, with no reason and as SIGSTOP, before the breakpoint's.
		if _, err := s.send("continue", map[string]any{"threadId": stopped.Get("body.threadId").Int()}); err != nil {
			return err
		}
		if stopped, err = s.event("stopped"); err != nil {
			return err
		}
	}
	if !atBreakpoint() {
		return fmt.Errorf("stopped for another reason than the breakpoint: %s", stopped.Raw)
	}
	s.thread = int(stopped.Get("body.threadId").Int())
	return nil
}

// step is one `next`, timed from the request to the stop.
func (s *session) step() (time.Duration, error) {
	s.events = s.events[:0]
	began := time.Now()
	if _, err := s.send("next", map[string]any{"threadId": s.thread}); err != nil {
		return 0, err
	}
	_, err := s.event("stopped")
	return time.Since(began), err
}

// requests are those that an editor sends at a stop, with their arguments there.
func (s *session) requests() (map[string]any, error) {
	var stack struct {
		StackFrames []struct {
			ID int `json:"id"`
		} `json:"stackFrames"`
	}
	top := map[string]any{"threadId": s.thread, "startFrame": 0, "levels": 20}
	if err := s.call("stackTrace", top, &stack); err != nil {
		return nil, err
	}
	frame := map[string]any{"frameId": stack.StackFrames[0].ID}
	var scopes struct {
		Scopes []struct {
			VariablesReference int `json:"variablesReference"`
		} `json:"scopes"`
	}
	if err := s.call("scopes", frame, &scopes); err != nil {
		return nil, err
	}
	return map[string]any{"threads": map[string]any{}, "stackTrace": top, "scopes": frame,
		"variables": map[string]any{"variablesReference": scopes.Scopes[0].VariablesReference}}, nil
}
