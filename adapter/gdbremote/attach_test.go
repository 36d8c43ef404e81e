package gdbremote

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

// LLDB's spelling of "wait for envoy, or take the one that is there".
const (
	awaitEnvoy = "vAttachOrWait;656e766f79"
	armed      = "arming vAttachOrWait envoy at server 77"
	attached   = "T13thread:126b;threads:126b;reason:signal;"
	exec       = "T05thread:126b;threads:126b;reason:exec;"
	pid        = 0x126b
)

// The client asks for a process by its name and gets Envoy at its entry; the
// gate in between was never there.
func TestTheExecAnswersTheAttach(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.awaiting()
	server.holdsTheGate()
	s.hearsNothing()
	passes(server, client, exec)
	s.hears(fmt.Sprintf("attached %d, swallowed [T13 signal], error <nil>, ended false", pid))

	// From here on the relay only passes on, stops like those above as well.
	passes(client, server, "vCont;c")
	passes(server, client, attached)
	s.hearsNothing()
}

func TestWithoutAGateTheAttachIsTheClients(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.awaiting()
	passes(server, client, attached)
	s.hears(fmt.Sprintf("attached %d, swallowed [], error <nil>, ended false", pid))
}

// What may lie between the attach and the exec, and what the process gets of it.
func TestStopsBeforeTheExecAreSwallowed(t *testing.T) {
	for _, test := range []struct{ name, stop, resumed, swallowed string }{
		{"a second SIGSTOP, when the attach fell into the exec", attached, "vCont;c", "T13 signal"},
		{"a trap", "T05thread:126b;reason:trap;", "vCont;c", "T05 trap"},
		{"SIGTERM is passed on", "T0fthread:126b;reason:signal;", "vCont;C0f:126b;c", "T0f signal"},
		{"SIGCHLD is passed on to its thread", "T11thread:126c;reason:signal;", "vCont;C11:126c;c", "T11 signal"},
		{"a signal without a thread", "S0f", "vCont;c", "T0f "},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := begin(t, Config{SkipToExec: true})
			client, server := s.awaiting()
			server.holdsTheGate()
			server.says(test.stop)
			server.hears(test.resumed)
			passes(server, client, exec)
			s.hears(fmt.Sprintf("attached %d, swallowed [T13 signal %s], error <nil>, ended false", pid, test.swallowed))
		})
	}
}

// The signal of the attach's own stop is never given to the process.
func TestTheStopOfTheAttachIsNotASignalToTheProcess(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	_, server := s.awaiting()
	server.says("T0fthread:126b;reason:signal;")
	server.hears("vCont;c")
}

// Console output of the process comes in packets, too, and is the client's.
func TestConsoleOutputDuringTheAttachIsPassedOn(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.awaiting()
	server.holdsTheGate()
	passes(server, client, "O68690a")
	passes(server, client, exec)
}

// An attach that ends in no process is answered at once, in the server's words.
func TestAnAttachThatFails(t *testing.T) {
	for _, test := range []struct {
		name       string
		afterwards bool // after the attach itself has gone well
		reply      string
		told       string
	}{
		{"refused", false, "E01", "attached 0, swallowed [], error E01, ended false"},
		{"refused in words", false, "Eff;6e6f207065726d697373696f6e", "attached 0, swallowed [], error no permission, ended false"},
		{"the gate exits", true, "W03;process:126b", "attached 0, swallowed [T13 signal], error the process ended before it became Envoy: exit status 3, ended true"},
		{"the gate is killed", true, "X09", "attached 0, swallowed [T13 signal], error the process ended before it became Envoy: signal 9, ended true"},
		{"gone already", false, "W00", "attached 0, swallowed [], error the process ended before it became Envoy: exit status 0, ended true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := begin(t, Config{SkipToExec: true, Admit: func(context.Context, int) error {
				t.Error("Admit was asked about no process")
				return nil
			}})
			client, server := s.awaiting()
			if test.afterwards {
				server.holdsTheGate()
			}
			passes(server, client, test.reply)
			s.hears(test.told)
			// The end of the connection says nothing new.
			server.leaves()
			s.hears("disconnected g1: <nil>")
		})
	}
}

// A process that is not the session's is let go before anybody is told; the
// client's attach has failed.
func TestAProcessThatIsNotAdmittedIsLetGo(t *testing.T) {
	foreign := errors.New("a stranger")
	s := begin(t, Config{Admit: func(_ context.Context, p int) error {
		if p != pid {
			t.Errorf("asked about process %d", p)
		}
		return foreign
	}})
	client, server := s.awaiting()
	server.says(attached)
	server.hears("D")
	s.hearsNothing()
	server.says("OK")
	client.hears("E01")
	s.hears(fmt.Sprintf("attached %d, swallowed [], error a stranger, ended false", pid))
	server.leaves()
	s.hears("disconnected g1: <nil>")
}

func TestAnAdmittedProcessIsTheClients(t *testing.T) {
	asked := 0
	s := begin(t, Config{SkipToExec: true, Admit: func(context.Context, int) error { asked++; return nil }})
	client, server := s.awaiting()
	server.holdsTheGate()
	passes(server, client, exec)
	s.hears(fmt.Sprintf("attached %d, swallowed [T13 signal], error <nil>, ended false", pid))
	if asked != 1 {
		t.Errorf("Admit was asked %d times", asked)
	}
}

// In acknowledged mode each side sees exactly the acknowledgements of its own
// packets: what the relay swallows it acknowledges itself.
func TestAcknowledgedMode(t *testing.T) {
	foreign := errors.New("a stranger")
	for _, admitted := range []bool{true, false} {
		t.Run(fmt.Sprintf("admitted %v", admitted), func(t *testing.T) {
			s := begin(t, Config{SkipToExec: true, Admit: func(context.Context, int) error {
				if admitted {
					return nil
				}
				return foreign
			}})
			client, server := s.debugServer()
			passes(client, server, awaitEnvoy)
			server.write("+")
			client.frame("+")

			server.says(attached)
			server.frame("+")
			server.hears("vCont;c")
			server.write("+")

			server.says(exec)
			if admitted {
				client.hears(exec)
				client.write("+")
				server.frame("+")
			} else {
				server.frame("+")
				server.hears("D")
				server.write("+")
				server.says("OK")
				client.hears("E01")
				client.write("+")
				server.frame("+")
			}

			// No acknowledgement is left over on either side.
			passes(client, server, "qC")
			server.write("+")
			client.frame("+")
			passes(server, client, "QC126b")
			client.write("+")
			server.frame("+")
		})
	}
}

// A second attach on the same connection is a new one.
func TestAnAttachMayBeTriedAgain(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.awaiting()
	server.holdsTheGate()
	passes(server, client, "X09")
	s.hears("attached 0, swallowed [T13 signal], error the process ended before it became Envoy: signal 9, ended true")
	passes(client, server, "vAttach;126b")
	s.hears("arming vAttach  at server 77")
	passes(server, client, exec)
	s.hears(fmt.Sprintf("attached %d, swallowed [], error <nil>, ended false", pid))
	server.leaves()
	s.hears("disconnected g1: EOF")
}

// The client may lose patience: the interrupt byte gets through to the server.
func TestAnInterruptPassesDuringTheWait(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.awaiting()
	client.write("\x03")
	server.frame("\x03")
}
