//go:build linux

package server

import (
	"context"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/internal/process"
)

// What was left stopped is waited for until somebody lets it run on; it is ended with its
// agent, by the end of the helper, or when its time is over and it still stands.
func TestHowLongWhatWasLeftStoppedStays(t *testing.T) {
	for name, c := range map[string]struct {
		lease  time.Duration
		happen func(s *session, pid int, cancel func())
		stays  bool
	}{
		"let run on":            {time.Minute, func(s *session, _ int, _ func()) { close(s.kept.goesOn) }, true},
		"its agent has ended":   {time.Minute, func(s *session, _ int, _ func()) { close(s.agent.Load().Done) }, false},
		"the helper is ended":   {time.Minute, func(_ *session, _ int, cancel func()) { cancel() }, false},
		"its time is over":      {time.Millisecond, func(*session, int, func()) {}, false},
		"others have let it go": {100 * time.Millisecond, func(_ *session, pid int, _ func()) { _ = syscall.Kill(pid, syscall.SIGCONT) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sleep", "60")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait()
			defer cmd.Process.Kill()
			pid := cmd.Process.Pid
			if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			for !standing(pid) {
				time.Sleep(time.Millisecond)
			}
			stat, err := process.Read(pid)
			if err != nil {
				t.Fatal(err)
			}
			s := &session{kept: newKept()}
			s.kept.lease, s.kept.all = c.lease, []process.Stat{stat}
			s.agent.Store(&agent{child: &child{Done: make(chan struct{})}})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c.happen(s, pid, cancel)
			if stays := s.waitStopped(ctx); stays != c.stays {
				t.Errorf("it stays: %v, want %v", stays, c.stays)
			}
		})
	}
}
