//go:build linux

package server

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/gate"
)

// lingering bounds the wait for the end of the agent's output after its exit:
// an orphaned Envoy holds the pipes open for as long as it likes.
const lingering = 500 * time.Millisecond

// agent is one run of the agent.
type agent struct {
	*child
	envoy    os.FileInfo // the file of EnvoyPath; nil when it is not there
	gated    bool
	decided  sync.Once     // closes settled
	settled  chan struct{} // closed when the gate passed or was found bypassed
	gatesMu  sync.Mutex
	gatePIDs map[int]bool // who has reported as a gate
}

func (s *session) agentStart(_ context.Context, p helper.AgentStartParams) (helper.AgentStartResult, error) {
	var none helper.AgentStartResult
	s.agentMu.Lock()
	defer s.agentMu.Unlock()
	if pids := s.agentSide(); len(pids) > 0 {
		return none, fail(helper.CodeBusy, "an agent of this session, or an Envoy it left, is still running: %s", describe(pids))
	}
	if len(p.Command) == 0 {
		return none, fail(helper.CodeNotFound, "the agent's command is empty")
	}
	cwd := p.Cwd
	if cwd == "" {
		cwd, _ = os.Getwd()
	} else if st, err := os.Stat(cwd); err != nil {
		return none, fail(codeOf(err, helper.CodeStartFailed), "the agent's working directory: %v", err)
	} else if !st.IsDir() {
		return none, fail(helper.CodeStartFailed, "the agent's working directory: %s is not a folder", cwd)
	}
	env := mergeEnv(os.Environ(), p.Env)
	path, err := lookPath(p.Command[0], getEnv(env, "PATH"), cwd)
	if err != nil {
		return none, fail(codeOf(err, helper.CodeStartFailed), "the agent: %v", err)
	}
	a := &agent{gated: p.Gate, settled: make(chan struct{}), gatePIDs: map[int]bool{}}
	if p.Gate {
		if env, err = s.gateEnv(a, p, env, cwd); err != nil {
			return none, err
		}
	} else if pids := byExeName(filepath.Base(p.EnvoyPath)); p.EnvoyPath != "" && len(pids) > 0 {
		return none, fail(helper.CodeEnvoyRunning, "without the gate the debugger takes the first process called %s, and there is one already: %s",
			filepath.Base(p.EnvoyPath), describe(pids))
	}
	if err := s.run(a, command{Path: path, Args: p.Command, Env: env, Dir: cwd}); err != nil {
		return none, fail(codeOf(err, helper.CodeStartFailed), "the agent %s cannot be started: %v", path, err)
	}
	return helper.AgentStartResult{PID: a.PID}, nil
}

// gateEnv installs the gate and returns the environment that leads the agent to
// it.
func (s *session) gateEnv(a *agent, p helper.AgentStartParams, env []string, cwd string) ([]string, error) {
	real, err := lookPath(p.EnvoyPath, getEnv(env, "PATH"), cwd)
	if err == nil {
		a.envoy, err = os.Stat(real)
	}
	if err != nil {
		return nil, fail(codeOf(err, helper.CodeStartFailed), "Envoy: %v", err)
	}
	if p.GateTimeout <= 0 {
		return nil, fail(helper.CodeStartFailed, "the gate's timeout must be above 0 ms, not %d", p.GateTimeout)
	}
	socket, err := s.listenGate()
	if err != nil {
		return nil, fail(helper.CodeStartFailed, "the gate's socket: %v", err)
	}
	original, set := lookupEnv(env, gate.ProxyConfigEnv)
	params := gate.Params{Envoy: real, Timeout: p.GateTimeout, Socket: socket}
	if set {
		params.ProxyConfig = &original
	}
	binary, err := gate.Install(s.dir, helper.GateBase(s.name), params)
	if err != nil {
		return nil, fail(codeOf(err, helper.CodeStartFailed), "%v", err)
	}
	config, err := withBinaryPath(original, binary)
	if err != nil {
		return nil, err
	}
	return mergeEnv(env, map[string]string{gate.ProxyConfigEnv: config}), nil
}

// run starts the agent and the goroutines that follow it: one for each of its
// two pipes, one for its exit, one that looks for an Envoy beside the gate.
func (s *session) run(a *agent, cmd command) error {
	var read [2]*os.File
	var err error
	for i, w := range []**os.File{&cmd.Stdout, &cmd.Stderr} {
		if read[i], *w, err = os.Pipe(); err != nil {
			return err
		}
		defer (*w).Close()
	}
	a.child, err = s.start(cmd, func(ch *child) {
		a.child = ch
		s.agent.Store(a)
	})
	if err != nil {
		read[0].Close()
		read[1].Close()
		return err
	}
	var pipes sync.WaitGroup
	for i, stream := range []string{"stdout", "stderr"} {
		pipes.Go(func() { s.output.pump(stream, read[i]) })
	}
	ended := make(chan struct{})
	go func() { pipes.Wait(); close(ended) }()
	go func() {
		<-a.Done
		select {
		case <-ended:
		case <-time.After(lingering):
		}
		text, code := statusText(a.Status)
		s.notices.notify(helper.NotifyExit, helper.ExitParams{What: "agent", PID: a.PID, Status: text, Code: code, Output: s.output.total()})
	}()
	if a.gated {
		go s.watchBypass(a)
	}
	return nil
}

// describe names processes: "4711 (/usr/local/bin/envoy), …".
func describe(pids []int) string {
	var out []string
	for _, pid := range pids {
		out = append(out, "pid "+itoa(pid)+" ("+exe(pid)+")")
	}
	return strings.Join(out, ", ")
}
