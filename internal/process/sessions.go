package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Sessions are sessions in the kernel's sense (setsid(2)) whose members are to be
// ended when the one who started them no longer can. A session's number is the PID
// of its leader, and is not given to another process while a member lives. The zero
// value is empty; it is used by one goroutine at a time.
type Sessions struct {
	leaders map[int]Stat // by the session's number
}

// Add notes the session that the process leads, or else belongs to. The error is
// that of [Read].
func (s *Sessions) Add(pid int) error {
	p, err := Read(pid)
	if err == nil && p.Session != pid {
		p, err = Read(p.Session)
	}
	if err != nil {
		return err
	}
	s.Note(p)
	return nil
}

// Note is [Sessions.Add] for a leader that was read before, and may have ended.
func (s *Sessions) Note(leader Stat) {
	if s.leaders == nil {
		s.leaders = map[int]Stat{}
	}
	s.leaders[leader.PID] = leader
}

// Kill kills every member, again and again until there are none. At the deadline it
// gives up: the error then says which are left, or why that is not known.
func (s *Sessions) Kill(deadline time.Time) error {
	for len(s.leaders) > 0 {
		members, err := s.members()
		for _, m := range members {
			if e := m.Signal(syscall.SIGKILL); e != nil && !errors.Is(e, os.ErrProcessDone) {
				err = errors.Join(err, fmt.Errorf("process %d: %w", m.PID, e))
			}
		}
		ended := members.Wait(deadline)
		members.Close()
		switch {
		case len(members) == 0 && err == nil:
			return nil
		case time.Now().Before(deadline):
			if err != nil {
				time.Sleep(glance)
			}
		case !ended:
			return errors.Join(fmt.Errorf("still there: %s", members), err)
		case err != nil:
			return err
		}
	}
	return nil
}

// members opens all members there are. With an error there may be more.
func (s *Sessions) members() (Handles, error) {
	all, err := All()
	var members Handles
	for _, p := range all {
		leader, known := s.leaders[p.Session]
		if !known || p.Dead() {
			continue
		}
		// A leader that is there must be the one that was noted.
		if now, there := all[p.Session]; there && !now.Is(leader) {
			continue
		}
		h, openErr := p.Open()
		switch {
		case openErr == nil:
			members = append(members, h)
		case !errors.Is(openErr, os.ErrProcessDone):
			err = errors.Join(err, openErr)
		}
	}
	return members, err
}

// String names the processes, for messages.
func (hs Handles) String() string {
	var pids []int
	for _, h := range hs {
		pids = append(pids, h.PID)
	}
	return fmt.Sprintf("processes %v", pids)
}
