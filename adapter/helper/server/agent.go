//go:build linux

package server

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/helper/gate"
	"github.com/envoydbg/envoydbg/internal/program"
)

// lingering bounds the wait for the end of the agent's output after its exit:
// an orphaned Envoy holds the pipes open for as long as it likes.
const lingering = 500 * time.Millisecond

// agent is one run of the agent.
type agent struct {
	*child
	command   []string
	admission *admission // of the gate; nil without it
}

func (s *session) agentStart(_ context.Context, p helper.AgentStartParams) (helper.AgentStartResult, error) {
	var none helper.AgentStartResult
	s.agentMu.Lock()
	defer s.agentMu.Unlock()
	pids, err := s.agentSide()
	if err != nil {
		return none, fail(helper.CodeStartFailed, "%v", err)
	}
	if len(pids) > 0 {
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
	if p.Expand {
		p.Command = expand(p.Command, env)
	}
	path, err := program.Look(p.Command[0], getEnv(env, "PATH"), cwd)
	if err != nil {
		return none, fail(codeOf(err, helper.CodeStartFailed), "the agent: %v", err)
	}
	a := &agent{command: p.Command}
	cmd := command{Path: path, Args: p.Command, Env: env, Dir: cwd}
	if p.Gate {
		a.admission, err = s.gateCommand(p, &cmd)
	} else {
		err = s.noGate(p)
	}
	if err != nil {
		return none, err
	}
	if err := s.run(a, cmd); err != nil {
		return none, fail(codeOf(err, helper.CodeStartFailed), "the agent %s cannot be started: %v", path, err)
	}
	return helper.AgentStartResult{PID: a.PID}, nil
}

// noGate checks what would go wrong without the gate.
func (s *session) noGate(p helper.AgentStartParams) error {
	if p.EnvoyPath == "" {
		return nil
	}
	name := filepath.Base(p.EnvoyPath)
	if pids, _ := byExeName(name); len(pids) > 0 {
		return fail(helper.CodeEnvoyRunning, "without the gate the debugger takes the first process called %s, and there is one already: %s",
			name, describe(pids))
	}
	self, err := readCredentials(os.Getpid())
	if err != nil {
		return nil
	}
	if r := whyNotWithoutGate(yamaScope(), self); r != nil && s.hand.Load() == nil {
		return refused(r)
	}
	return nil
}

// gateCommand installs the gate and changes the agent's command so that it leads
// there, in each way in which an agent may start Envoy:
//
//   - pilot-agent starts the binaryPath of PROXY_CONFIG;
//   - a script calls Envoy by its name, which PATH leads to the gate;
//   - the agent is Envoy itself: the gate is started in its place.
func (s *session) gateCommand(p helper.AgentStartParams, cmd *command) (*admission, error) {
	a := newAdmission()
	a.base, a.timeout = helper.GateBase(s.name), p.GateTimeout
	var err error
	a.envoy, err = program.Look(p.EnvoyPath, getEnv(cmd.Env, "PATH"), cmd.Dir)
	if err == nil {
		a.file, err = os.Stat(a.envoy)
	}
	if err != nil {
		return nil, fail(codeOf(err, helper.CodeStartFailed), "Envoy: %v", err)
	}
	if info, err := elfinfo.Read(a.envoy); err == nil { // if it fails, so will the exec, and say it
		a.buildID = info.BuildID
	}
	if p.GateTimeout <= 0 {
		return nil, fail(helper.CodeStartFailed, "the gate's timeout must be above 0 ms, not %d", p.GateTimeout)
	}
	if err := s.listenGate(); err != nil {
		return nil, fail(helper.CodeStartFailed, "the gate's socket: %v", err)
	}
	first := s.gateDir.First(a.base)

	if original, set := lookupEnv(cmd.Env, gate.ProxyConfigEnv); set {
		a.environ.Original = &original
	}
	a.environ.ProxyConfig, err = withBinaryPath(getEnv(cmd.Env, gate.ProxyConfigEnv), first)
	if err != nil {
		return nil, err
	}
	add := map[string]string{gate.ProxyConfigEnv: a.environ.ProxyConfig}
	names := namesInPath(a, p.EnvoyPath, cmd)
	if path := getEnv(cmd.Env, "PATH"); path != "" && len(names) > 0 {
		a.environ.Bin = s.gateDir.Bin()
		add["PATH"] = a.environ.Bin + ":" + path
	}
	if err := s.gateDir.Install(a.base, names); err != nil {
		return nil, fail(codeOf(err, helper.CodeStartFailed), "%v", err)
	}
	cmd.Env = mergeEnv(cmd.Env, add)
	if st, err := os.Stat(cmd.Path); err == nil && (os.SameFile(st, a.file) || a.isCopy(cmd.Path)) {
		a.envoy = cmd.Path
		cmd.Path = first
	}
	return a, nil
}

// namesInPath are the names under which a script may call Envoy. A name that
// leads to another program is left alone.
func namesInPath(a *admission, envoyPath string, cmd *command) []string {
	var names []string
	for _, name := range []string{filepath.Base(envoyPath), filepath.Base(a.envoy), "envoy"} {
		found, err := program.Look(name, getEnv(cmd.Env, "PATH"), cmd.Dir)
		if err == nil {
			if st, err := os.Stat(found); err != nil || !os.SameFile(st, a.file) && !a.isCopy(found) {
				continue
			}
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
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
	s.agentStarting.Lock()
	if a.child, err = s.children.start(cmd); err == nil {
		s.agent.Store(a)
	}
	s.agentStarting.Unlock()
	if err != nil {
		read[0].Close()
		read[1].Close()
		return err
	}
	var pipes sync.WaitGroup
	for i, stream := range []string{"stdout", "stderr"} {
		pipes.Go(func() { pump(s.output, stream, read[i]) })
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
	if a.admission != nil {
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
