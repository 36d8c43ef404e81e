//go:build linux

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/helper/gate"
	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/internal/program"
)

// handle answers one request; several run at a time.
func (s *session) handle(ctx context.Context, _ *jsonrpc2.Conn, req *jsonrpc2.Request) (any, error) {
	switch req.Method {
	case helper.MethodHello:
		return answer(req, s.hello)
	case helper.MethodLook: // the session plays no part in it
		return answer(req, func(p helper.LookParams) (helper.LookResult, error) { return s.look(ctx, p) })
	}
	select {
	case <-s.greeted:
	default:
		return nil, fail(jsonrpc2.CodeInvalidRequest, "%s before %s", req.Method, helper.MethodHello)
	}
	select {
	case <-s.closing: // what it would say is no longer so
		if req.Method != helper.MethodEnd {
			return nil, fail(jsonrpc2.CodeInvalidRequest, "%s: the session is ending", req.Method)
		}
	default:
	}
	switch req.Method {
	case helper.MethodInspect:
		return answer(req, inspect)
	case helper.MethodPlatformStart:
		return answer(req, func(p helper.PlatformStartParams) (helper.PlatformStartResult, error) { return s.platformStart(ctx, p) })
	case helper.MethodPlatformConnect:
		return answer(req, func(p helper.PlatformConnectParams) (helper.PlatformConnectResult, error) {
			return s.platformConnect(ctx, p)
		})
	case helper.MethodServerState:
		return answer(req, func(p helper.ServerStateParams) (helper.ServerStateResult, error) { return serverState(ctx, p) })
	case helper.MethodAgentStart:
		return answer(req, func(p helper.AgentStartParams) (helper.AgentStartResult, error) { return s.agentStart(ctx, p) })
	case helper.MethodProcess:
		return answer(req, s.process)
	case helper.MethodKeepStopped:
		return nil, s.keepStopped()
	case helper.MethodRelease:
		return s.release()
	case helper.MethodEndHeld:
		s.endHeld()
		return nil, nil
	case helper.MethodEnd:
		if s.opts.left != nil {
			s.opts.left(helper.StateEnding, helper.Left{})
		}
		s.closeGate()
		waits := s.endHand()
		r, err := s.end()
		if err = errors.Join(err, waits); err != nil {
			return nil, fail(jsonrpc2.CodeInternalError, "%v", leftError(r.Left, err))
		}
		s.endAsked.Do(func() { time.AfterFunc(afterEnd, func() { close(s.over) }) })
		return r, nil
	}
	return nil, fail(jsonrpc2.CodeMethodNotFound, "unknown method %q", req.Method)
}

// answer decodes the parameters of a request for fn.
func answer[P, R any](req *jsonrpc2.Request, fn func(P) (R, error)) (any, error) {
	var p P
	if req.Params == nil {
		return nil, fail(jsonrpc2.CodeInvalidParams, "%s needs parameters", req.Method)
	}
	if err := json.Unmarshal(*req.Params, &p); err != nil {
		return nil, fail(jsonrpc2.CodeInvalidParams, "%s: %v", req.Method, err)
	}
	return fn(p)
}

var sessionName = regexp.MustCompile(`^[0-9a-f]{8}$`)

func (s *session) hello(p helper.HelloParams) (helper.HelloResult, error) {
	var none helper.HelloResult
	if p.Protocol != helper.Protocol {
		return none, fail(jsonrpc2.CodeInvalidParams, "the adapter speaks protocol %d, this helper (%s) %d: install the two of one release",
			p.Protocol, s.opts.Version, helper.Protocol)
	}
	if !sessionName.MatchString(p.Session) {
		return none, fail(jsonrpc2.CodeInvalidParams, "the session's name is not 8 lower-case hex digits: %q", p.Session)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.helloed {
		return none, fail(jsonrpc2.CodeInvalidRequest, "a second %s", helper.MethodHello)
	}
	s.helloed, s.name = true, p.Session
	close(s.greeted)
	return helper.HelloResult{Protocol: helper.Protocol, Version: s.opts.Version, Arch: runtime.GOARCH,
		PID: os.Getpid(), UID: os.Getuid(), Dir: s.dir, Lease: s.opts.lease.Milliseconds()}, nil
}

func inspect(p helper.InspectParams) (helper.InspectResult, error) {
	var none helper.InspectResult
	path := p.Path
	var err error
	if !strings.Contains(path, "/") {
		if path, err = program.Look(path, os.Getenv("PATH"), ""); err != nil {
			return none, fail(codeOf(err, helper.CodeNotFound), "%v", err)
		}
	}
	if path, err = filepath.Abs(path); err == nil {
		if path, err = filepath.EvalSymlinks(path); err != nil {
			err = fmt.Errorf("%s: %w", p.Path, err)
		}
	}
	var info elfinfo.Info
	if err == nil {
		info, err = elfinfo.Read(path)
	}
	switch {
	case errors.Is(err, elfinfo.ErrNotELF):
		return none, fail(helper.CodeNotELF, "%v", err)
	case err != nil:
		return none, fail(codeOf(err, jsonrpc2.CodeInternalError), "%v", err)
	}
	return helper.InspectResult{Path: path, Size: info.Size, BuildID: info.BuildID, Machine: info.Machine,
		Symbols: info.Symbols, DWARF: info.DWARF}, nil
}

func (s *session) process(p helper.ProcessParams) (helper.ProcessResult, error) {
	now, err := process.Read(p.PID)
	if errors.Is(err, os.ErrProcessDone) || err == nil && now.Dead() {
		return helper.ProcessResult{}, nil
	}
	ours, err2 := s.agentSide()
	tracer, err3 := process.Tracer(p.PID)
	if errors.Is(err3, os.ErrProcessDone) {
		return helper.ProcessResult{}, nil
	}
	if err := errors.Join(err, err2, err3); err != nil {
		return helper.ProcessResult{}, fail(jsonrpc2.CodeInternalError, "%v", err)
	}
	return helper.ProcessResult{Alive: true, Ours: slices.Contains(ours, p.PID), Exe: exe(p.PID), TracerPID: tracer,
		Query: gate.Query(arguments(p.PID))}, nil
}
