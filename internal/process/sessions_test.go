//go:build linux

package process

import (
	"bufio"
	"testing"
	"time"
)

// All of a session ends, also what its leader has left, and nobody else.
func TestTheMembersOfASessionEnd(t *testing.T) {
	inner := under(t, pidfdsRefused, noDescriptor)
	c := shell(t, Command{}, `sleep 1000 & echo $!; setsid sleep 1000 & echo $!; read line`)
	out := bufio.NewReader(c.Stdout)
	member, err := Open(number(t, out))
	if err != nil {
		t.Fatal(err)
	}
	defer member.Close()
	foreign := number(t, out)
	for deadline := time.Now().Add(limit); ; time.Sleep(time.Millisecond) { // setsid takes a moment
		if s, err := Read(foreign); err != nil || s.Session == foreign || time.Now().After(deadline) {
			break
		}
	}
	other, err := Open(foreign)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	defer func() { _ = other.Signal(9) }()

	var s Sessions
	if err := s.Add(member.PID); err != nil { // by a member, not the leader
		t.Fatal(err)
	}
	_ = c.Stdin.Close() // ends the leader
	within(t, "the leader's end", c.Done())
	if inner && !refused() {
		if err := Reserve(); err != nil {
			t.Fatal(err)
		}
		defer exhaust(t)()
	}
	if err := s.Kill(time.Now().Add(limit)); err != nil {
		t.Error(err)
	}
	if !member.Ended() {
		t.Error("a member lives on")
	}
	if other.Ended() {
		t.Error("a process of another session was killed")
	}
	if err := s.Kill(time.Now()); err != nil {
		t.Errorf("again: %v", err)
	}
}

// A session whose number belongs to another one by now is left alone.
func TestASessionsReusedNumber(t *testing.T) {
	c := shell(t, Command{}, `read line`)
	var s Sessions
	if err := s.Add(c.PID()); err != nil {
		t.Fatal(err)
	}
	noted := s.leaders[c.PID()]
	noted.Start--
	s.leaders[c.PID()] = noted
	if err := s.Kill(time.Now().Add(limit)); err != nil {
		t.Error(err)
	}
	if p, err := Read(c.PID()); err != nil || p.Dead() {
		t.Errorf("a foreign session was killed: %+v, %v", p, err)
	}
}

// Nothing is said to have ended that cannot be seen.
func TestKillSaysWhenItCannotKnow(t *testing.T) {
	if !under(t, noDescriptor) {
		return
	}
	c := shell(t, Command{}, `read line`)
	var s Sessions
	if err := s.Add(c.PID()); err != nil {
		t.Fatal(err)
	}
	release := exhaust(t) // and no reserve
	if err := s.Kill(time.Now().Add(50 * time.Millisecond)); err == nil {
		t.Error("all is said to have ended")
	}
	release()
	if p, err := Read(c.PID()); err != nil || p.Dead() {
		t.Errorf("it has ended: %+v, %v", p, err)
	}
}
