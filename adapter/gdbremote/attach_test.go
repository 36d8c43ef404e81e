package gdbremote

import (
	"context"
	"encoding/hex"
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
	s.observesNothing()
	answersAttach(server, client, exec)
	s.observes(fmt.Sprintf("attached %d, swallowed [T13 signal], error <nil>, ended false", pid))

	// From here on the relay only passes on, stops like those above as well.
	passes(client, server, "vCont;c")
	passes(server, client, attached)
	s.observesNothing()
}

// LLDB asks for the reason again, thread by thread and of all; as long as Envoy stands
// where it was attached to the answer is the same.
func TestTheReasonOfTheAttachIsTheSameInEveryAnswer(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.awaiting()
	server.holdsTheGate()
	answersAttach(server, client, exec)
	const threads, shown = `[{"name":"envoy","reason":"exec","signal":5,"tid":4715}]`, `[{"name":"envoy","reason":"exception","signal":5,"tid":4715}]`
	for request, x := range map[string]struct{ answer, shown string }{
		"jThreadsInfo":         {threads, shown},
		"qThreadStopInfo126b;": {exec, asShown(exec)},
		"qC":                   {"QC126b", "QC126b"},
	} {
		passes(client, server, request)
		server.sends(x.answer)
		client.receives(x.shown)
	}
	// After a resume every word is the server's.
	passes(client, server, "vCont;c")
	passes(server, client, exec)
	passes(client, server, "jThreadsInfo")
	passes(server, client, threads)
}

func TestWithoutAGateTheAttachIsTheClients(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.awaiting()
	answersAttach(server, client, attached)
	s.observes(fmt.Sprintf("attached %d, swallowed [], error <nil>, ended false", pid))
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
			server.sends(test.stop)
			server.receives(test.resumed)
			answersAttach(server, client, exec)
			s.observes(fmt.Sprintf("attached %d, swallowed [T13 signal %s], error <nil>, ended false", pid, test.swallowed))
		})
	}
}

// The signal of the attach's own stop is never given to the process.
func TestTheStopOfTheAttachIsNotASignalToTheProcess(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	_, server := s.awaiting()
	server.sends("T0fthread:126b;reason:signal;")
	server.receives("vCont;c")
}

// Console output of the process comes in packets, too, and is the client's.
func TestConsoleOutputDuringTheAttachIsPassedOn(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.awaiting()
	server.holdsTheGate()
	passes(server, client, "O68690a")
	answersAttach(server, client, exec)
}

// An attach that ends in no process is answered at once, in the server's words.
func TestAnAttachThatFails(t *testing.T) {
	for _, test := range []struct {
		name       string
		afterwards bool // after the attach itself has gone well
		reply      string
		want       string
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
			s.observes(test.want)
			// The end of the connection says nothing new.
			server.closes()
			s.observes("disconnected g1: <nil>")
		})
	}
}

// A process may end between the moment when the server finds it and its attach. It was
// not the start; the wait goes on.
func TestAProcessThatEndsDuringTheAttachIsNotTheStart(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.awaiting()
	for range 3 {
		server.sends("E03;4e6f20737563682070726f63657373")
		server.receives(awaitEnvoy)
	}
	const refused = "E01;4f7065726174696f6e206e6f74207065726d6974746564" // a zombie, or no permission
	for range maxZombies {
		server.sends(refused)
		server.receives(awaitEnvoy)
	}
	s.observesNothing()
	passes(server, client, refused)
	s.observes("attached 0, swallowed [], error Operation not permitted, ended false")
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
	server.sends(attached)
	server.receives("D")
	s.observesNothing()
	server.sends("OK")
	client.receives("E01")
	s.observes(fmt.Sprintf("attached %d, swallowed [], error a stranger, ended false", pid))
	server.closes()
	s.observes("disconnected g1: <nil>")
}

func TestAnAdmittedProcessIsTheClients(t *testing.T) {
	asked := 0
	s := begin(t, Config{SkipToExec: true, Admit: func(context.Context, int) error { asked++; return nil }})
	client, server := s.awaiting()
	server.holdsTheGate()
	answersAttach(server, client, exec)
	s.observes(fmt.Sprintf("attached %d, swallowed [T13 signal], error <nil>, ended false", pid))
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

			server.sends(attached)
			server.frame("+")
			server.receives("vCont;c")
			server.write("+")

			server.sends(exec)
			if admitted {
				client.receives(asShown(exec))
				client.write("+")
				server.frame("+")
			} else {
				server.frame("+")
				server.receives("D")
				server.write("+")
				server.sends("OK")
				client.receives("E01")
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

// An attach that has failed may be tried again, and is the session's own again.
func TestAnAttachMayBeTriedAgain(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.awaiting()
	server.holdsTheGate()
	passes(server, client, "X09")
	s.observes("attached 0, swallowed [T13 signal], error the process ended before it became Envoy: signal 9, ended true")
	passes(client, server, awaitEnvoy)
	s.observes(armed)
	server.holdsTheGate()
	answersAttach(server, client, exec)
	s.observes(fmt.Sprintf("attached %d, swallowed [T13 signal], error <nil>, ended false", pid))
	server.closes()
	s.observes("disconnected g1: EOF")
}

// So is one whose connection has broken.
func TestAnAttachMayBeTriedAgainOnAnotherConnection(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	platform, platformServer := s.platform()
	for _, name := range []string{"g1", "g2"} {
		client, server := s.connect(s.launch(platform, platformServer))
		noAck(client, server)
		passes(client, server, awaitEnvoy)
		s.observes(armed)
		server.holdsTheGate()
		server.closes()
		s.observes("disconnected " + name + ": EOF")
		client.receivesEnd() // the connection is over for the relay, too
		s.until(func() bool { return s.relay.claim("envoy") })
		s.relay.settle(false)
	}
}

// What the user attaches to is the user's: it is not resumed, nobody is asked
// about it, and the observer does not hear of it.
func TestAnAttachOfTheUsers(t *testing.T) {
	for _, test := range []struct{ name, attach string }{
		{"by process id", "vAttach;126b"},
		{"by another name", "vAttachName;" + hex.EncodeToString([]byte("redis"))},
		{"waits for another name", "vAttachWait;" + hex.EncodeToString([]byte("envoy2"))},
		{"by no name", "vAttachName;"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := begin(t, Config{SkipToExec: true, Admit: func(context.Context, int) error {
				t.Error("Admit was asked about the user's process")
				return nil
			}})
			client, server := s.debugServer()
			noAck(client, server)
			passes(client, server, test.attach)
			passes(server, client, attached)
			passes(client, server, "vCont;c")
			passes(server, client, "W00;process:126b")
			server.closes()
			s.observes("disconnected g1: <nil>")
		})
	}
}

// Once the session has its process, a further attach to the same name, on the
// same connection or another, is the user's.
func TestASecondAttachToTheNameIsTheUsers(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	platform, platformServer := s.platform()
	client, server := s.connect(s.launch(platform, platformServer))
	noAck(client, server)
	passes(client, server, awaitEnvoy)
	s.observes(armed)

	// Not while the first is under way …
	client2, server2 := s.connect(s.launch(platform, platformServer))
	noAck(client2, server2)
	passes(client2, server2, awaitEnvoy)
	passes(server2, client2, attached)

	server.holdsTheGate()
	answersAttach(server, client, exec)
	s.observes(fmt.Sprintf("attached %d, swallowed [T13 signal], error <nil>, ended false", pid))
	passes(client, server, "D;126b")
	passes(server, client, "OK")

	// … and not afterwards.
	passes(client, server, awaitEnvoy)
	passes(server, client, attached)
	passes(client, server, "vCont;c")
	passes(server, client, "X09;process:126b")
	s.observesNothing()
}

// An attach that falls into the exec of the process leaves its SIGSTOP behind,
// which comes as soon as the process is resumed, at the same place. The client
// sees one attach and no such stop.
func TestTheLateStopOfTheAttachIsSwallowed(t *testing.T) {
	const atEntry = "T13thread:p126b.126b;threads:126b;thread-pcs:00007fc1d4774b70;reason:signal;"
	resume := "vCont;c:p126b.-1"
	begun := func(t *testing.T) (s *story, client, server *peer) {
		s = begin(t, Config{})
		client, server = s.awaiting()
		answersAttach(server, client, atEntry)
		s.observes("attached 4715, swallowed [], error <nil>, ended false")
		passes(client, server, "qProcessInfo")
		passes(server, client, "pid:126b;")
		passes(client, server, resume)
		return s, client, server
	}
	t.Run("swallowed", func(t *testing.T) {
		_, client, server := begun(t)
		server.sends(atEntry)
		server.receives(resume)
		passes(server, client, "T05thread:p126b.126b;threads:126b;thread-pcs:00007fc1d4774c00;reason:breakpoint;")
		// Only that one: whoever sends the next SIGSTOP wants it to be seen.
		passes(client, server, resume)
		passes(server, client, atEntry)
	})
	t.Run("but not a second one", func(t *testing.T) {
		_, client, server := begun(t)
		server.sends(atEntry)
		server.receives(resume)
		passes(server, client, atEntry)
	})
	t.Run("but not the stop of a pause, where the process waits where it did at the attach", func(t *testing.T) {
		_, client, server := begun(t)
		client.write("\x03")
		server.frame("\x03")
		passes(server, client, atEntry)
	})
	for name, stop := range map[string]string{
		"but not one from elsewhere": "T13thread:p126b.126b;threads:126b;thread-pcs:00007fc1d4774b71;reason:signal;",
		"but no other signal":        "T0fthread:p126b.126b;threads:126b;thread-pcs:00007fc1d4774b70;reason:signal;",
		"but no exit":                "W00",
	} {
		t.Run(name, func(t *testing.T) {
			s, client, server := begun(t)
			passes(server, client, stop)
			if stop == "W00" {
				s.observes("exited: exit status 0, process 0")
				return
			}
			passes(client, server, resume)
			passes(server, client, atEntry)
		})
	}
	t.Run("nor when the server tells no place", func(t *testing.T) {
		s := begin(t, Config{})
		client, server := s.awaiting()
		answersAttach(server, client, attached)
		s.observes("attached 4715, swallowed [], error <nil>, ended false")
		passes(client, server, resume)
		passes(server, client, attached)
	})
}

// The process may be made to stop where it was attached to: the client's resume is
// answered as the attach was, and the server does not hear of it.
func TestStopInPlace(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.awaiting()
	s.relay.StopInPlace() // means nothing before there is a process
	answersAttach(server, client, attached)
	s.observes(fmt.Sprintf("attached %d, swallowed [], error <nil>, ended false", pid))
	s.relay.StopInPlace()
	passes(client, server, "qC")
	passes(server, client, "QC126b")
	client.sends("vCont;c:p126b.-1")
	client.receives(asShown(attached))
	// Only once.
	passes(client, server, "vCont;c:p126b.-1")
	passes(server, client, "W00;process:126b")
	s.observes("exited: exit status 0, process 4715")
	server.closes()
	s.observes("disconnected g1: <nil>")
}

// Another process that the client attaches to runs.
func TestStopInPlaceIsForTheSessionsProcess(t *testing.T) {
	s := begin(t, Config{})
	client, server := s.awaiting()
	answersAttach(server, client, attached)
	s.observes(fmt.Sprintf("attached %d, swallowed [], error <nil>, ended false", pid))
	s.relay.StopInPlace()
	passes(client, server, "D;126b")
	passes(server, client, "OK")
	passes(client, server, "vAttach;1")
	passes(server, client, attached)
	passes(client, server, "vCont;c")
}

// The client's detach is done by another way, during which the debug server may end. The
// client hears how it went before its connection ends.
func TestADetachByAnotherWay(t *testing.T) {
	for answer, err := range map[string]error{"OK": nil, "E01": errors.New("it does not stop")} {
		t.Run(answer, func(t *testing.T) {
			s := begin(t, Config{})
			client, server := s.awaiting()
			answersAttach(server, client, attached)
			s.observes(fmt.Sprintf("attached %d, swallowed [], error <nil>, ended false", pid))
			taking, ended := make(chan struct{}), make(chan struct{})
			s.relay.Detach(func(context.Context) error {
				close(taking)
				<-ended
				return err
			})
			passes(client, server, "z0,1000,1")
			passes(server, client, "OK")
			client.sends("D;126b")
			<-taking
			server.closes()
			s.observes("disconnected g1: <nil>")
			if !client.open() {
				t.Error("the client was disconnected before it had an answer")
			}
			close(ended)
			client.receives(answer)
			client.receivesEnd()
		})
	}
}

// A debug server that does not know the attach packet, or says something else.
func TestAnAnswerThatIsNoStop(t *testing.T) {
	for _, answer := range []string{"", "OK", "T0"} {
		t.Run(answer, func(t *testing.T) {
			s := begin(t, Config{SkipToExec: true})
			client, server := s.awaiting()
			passes(server, client, answer)
			s.observes(fmt.Sprintf("attached 0, swallowed [], error the debug server answers %q, ended false", answer))
			server.closes()
			s.observes("disconnected g1: <nil>")
		})
	}
}

// The server may refuse to let go of a process that is not wanted.
func TestAProcessThatIsNotLetGo(t *testing.T) {
	s := begin(t, Config{Admit: func(context.Context, int) error { return errors.New("a stranger") }})
	client, server := s.awaiting()
	server.sends(attached)
	server.receives("D")
	server.sends("E05")
	client.receives("E01")
	s.observes("attached 4715, swallowed [], error a stranger; and the debug server did not let go of it: E05, ended false")
}

// The client may lose patience: the interrupt byte gets through to the server.
func TestAnInterruptPassesDuringTheWait(t *testing.T) {
	s := begin(t, Config{SkipToExec: true})
	client, server := s.awaiting()
	client.write("\x03")
	server.frame("\x03")
}
