package startup

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
)

// preflight checks all that can be checked before anything is started.
func (s *Startup) preflight(ctx context.Context) error {
	s.phases.Begin(PhasePreflight)
	err := s.openOutput(ctx)
	if err != nil {
		return err
	}
	if s.local, err = abandonable(ctx, func() (elfinfo.Info, error) { return elfinfo.Read(s.cfg.Program) }); err != nil {
		return fault.BadProgram(s.cfg.Program, err)
	}
	s.loadSources(ctx)
	s.findPlaces(ctx)
	beside, err := s.opts.Target.Connect(ctx, Notices{Output: s.output, Gate: s.gate, Exit: s.exit, Cut: s.cut, Resumed: s.resumed, Progress: s.phases.Progress, Called: s.called, Say: s.say})
	if err != nil {
		return err
	}
	if !s.own(func() { s.beside = beside }) {
		_ = beside.Close()
		return context.Canceled
	}
	go func() {
		<-beside.Done()
		s.box.post(helperGone{beside.Err()})
	}()
	hello, err := beside.Hello(ctx, helper.HelloParams{Protocol: helper.Protocol, Session: s.opts.Session})
	if err != nil {
		return s.cause(ctx, fault.HelperStart(err, ""))
	}
	if hello.Protocol != helper.Protocol {
		return fault.HelperStart(fmt.Errorf("it speaks protocol %d, envoydbg speaks %d", hello.Protocol, helper.Protocol), "")
	}
	if s.remote, err = beside.Inspect(ctx, helper.InspectParams{Path: s.cfg.EnvoyPath}); err != nil {
		return s.cause(ctx, fault.BadEnvoyPath(s.cfg.EnvoyPath, err.Error()))
	}
	same, err := s.sameBuild()
	if err != nil {
		return err
	}
	if len(s.cfg.Agent.Command) == 0 {
		s.cfg.Agent.Command = s.opts.Target.Agent()
	}
	where := s.opts.Target.Name()
	if where != "" {
		where += ", "
	}
	which := s.opts.LLDB.Text
	if s.opts.StoodBy {
		which += " that stood by"
	}
	s.phases.End("%slldb-dap %s, %s", where, which, same)
	return nil
}

// abandonable waits for f, but no longer than ctx lasts: a file on a dead network
// mount may never answer.
func abandonable[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		v, err := f()
		done <- outcome{v, err}
	}()
	select {
	case o := <-done:
		return o.v, o.err
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
}

// sameBuild compares the local program with the Envoy that will run, and says
// what it found.
func (s *Startup) sameBuild() (string, error) {
	l, m := s.local, s.remote
	switch {
	case l.Machine != m.Machine:
		return "", fault.WrongMachine(s.cfg.Program, l.Machine, m.Path, m.Machine)
	case l.BuildID != "" && l.BuildID == m.BuildID:
		return "build-id " + short(l.BuildID) + " matches", nil
	case l.BuildID != "" || m.BuildID != "":
		return "", fault.BuildIDMismatch(s.cfg.Program, l.BuildID, m.Path, m.BuildID)
	}
	// The same file needs no build-id.
	if a, err := filepath.EvalSymlinks(s.cfg.Program); err == nil && a == m.Path && s.cfg.Local() {
		return "program and envoyPath are one file", nil
	}
	return "", fault.NoBuildID(s.cfg.Program, m.Path)
}

func short(id string) string {
	if len(id) <= 12 {
		return id
	}
	return id[:4] + "…" + id[len(id)-4:]
}
