package fault

import (
	"fmt"
	"strings"
	"time"
)

// ED13xx: startup.

// AgentStart: the agent could not be started.
func AgentStart(command []string, why string) *Fault {
	if f := exhausted("the agent does not start", nil, why); f != nil {
		return f
	}
	if f := refusal("run the agent", command[0], nil, why); f != nil {
		return f
	}
	return &Fault{Code: 1301, Attribute: "agent.command", What: "The agent could not be started.", Evidence: []string{strings.Join(command, " "), plain(why)},
		Do: fmt.Sprintf("Check %s, %s and %s.", Name("agent.command"), Name("agent.cwd"), Name("agent.env"))}
}

// AgentEnded: the agent ended before it started Envoy.
func AgentEnded(status string) *Fault {
	return &Fault{Code: 1302, What: "The agent ended before Envoy was reached.", Evidence: []string{"agent: " + status},
		Do: "Read its output " + console() + "; start it by hand with the same command to check it."}
}

// EnvoyEnded: Envoy ended before its first instruction could be shown.
func EnvoyEnded(why string) *Fault {
	return &Fault{Code: 1303, What: "Envoy ended before it could be debugged.", Evidence: []string{plain(why)},
		Do: "Read its output " + console() + "."}
}

// TargetNeverAppeared: armed, agent started, and no Envoy came.
func TargetNeverAppeared(name string, waited time.Duration) *Fault {
	return &Fault{Code: 1304, Attribute: "startTimeout", What: fmt.Sprintf("The agent started no Envoy within %v.", waited),
		Evidence: []string{"awaited: " + name},
		Do: fmt.Sprintf("Check in the agent's output what it started. Another program name needs %s; a slower start needs a larger %s.",
			Name("envoyPath"), Name("startTimeout"))}
}

// GateTimeout: Envoy stood at the gate and nobody traced it.
func GateTimeout(pid int, detail string) *Fault {
	return &Fault{Code: 1305, What: "Envoy waited at the gate and the debugger did not come; Envoy was not started.",
		Evidence: []string{fmt.Sprintf("gate: pid %d %s", pid, detail)},
		Do:       "Start the session again with " + logFile() + ": the log says what lldb-server did meanwhile."}
}

// GateExec: the gate could not exec the real Envoy.
func GateExec(path, why string) *Fault {
	if f := exhausted("the gate cannot start Envoy", nil, why); f != nil {
		return f
	}
	if f := refusal("run the real Envoy", path, nil, why); f != nil {
		return f
	}
	return &Fault{Code: 1306, Attribute: "envoyPath", What: "The gate could not start the real Envoy.", Evidence: []string{path, plain(why)},
		Do: "Set " + Name("envoyPath") + " to an executable Envoy."}
}

// GateBypassed: the agent started Envoy, or became Envoy, without passing the
// gate. do is a sentence.
func GateBypassed(pid int, how, do string) *Fault {
	return &Fault{Code: 1307, What: "The agent started Envoy without passing the gate.", Evidence: []string{fmt.Sprintf("pid %d: %s", pid, how)}, Do: do}
}

// EnvoyRunning: without the gate, an Envoy of that name is running already.
func EnvoyRunning(detail string) *Fault {
	return &Fault{Code: 1308, Attribute: "gate", What: "An Envoy of that name is running already, and without the gate it would be caught instead.", Evidence: []string{detail},
		Do: "Stop it, or use the gate (remove " + Assign("gate", "false") + ")."}
}

// ForeignProcess: the attach caught a process that the agent did not start.
func ForeignProcess(pid int, exe string) *Fault {
	return &Fault{Code: 1309, Attribute: "gate", What: "The wait caught an Envoy that this session did not start; it was let go unharmed.", Evidence: []string{fmt.Sprintf("pid %d %s", pid, plain(exe))},
		Do: "Use the gate (remove " + Assign("gate", "false") + "): it waits under a name that nobody else has."}
}

// AttachFailed: the debug server refused the attach.
func AttachFailed(why string) *Fault {
	return &Fault{Code: 1310, What: "The debug server could not attach to Envoy.", Evidence: []string{plain(why)},
		Do: "Check that ptrace is permitted there: the same user, or CAP_SYS_PTRACE; kernel.yama.ptrace_scope at most 1."}
}

// NotManual: startAgent was asked for at the wrong time.
func NotManual(why string) *Fault {
	return &Fault{Code: 1311, Attribute: "agent.start", What: "The agent cannot be started now.", Evidence: []string{why},
		Do: "Start it by hand (Envoy: Start Agent) in a session with " + Assign("agent.start", `"manual"`) + ", once that is armed and waiting."}
}

// NoAgentToStop: stopAgent was asked for without an agent.
func NoAgentToStop(why string) *Fault {
	return &Fault{Code: 1322, What: "There is no agent that could be stopped.", Evidence: []string{why},
		Do: "Stop the session, or start the agent first."}
}

// NoTerminal: the client opens no terminal for the agent's output.
func NoTerminal(why string) *Fault {
	return &Fault{Code: 1323, Attribute: "agent.output", What: "There is no terminal for the output of the agent.", Evidence: []string{why},
		Do: "Set " + Name("agent.output") + " to a file, or leave it out."}
}

// NotYet: a request about a process came while the debugger waits for it.
func NotYet(command string) *Fault {
	return &Fault{Code: 1320, What: fmt.Sprintf("Envoy has not started yet; %q needs a process.", command),
		Do: "Ask again when Envoy is attached."}
}

// Cancelled: the user ended the startup.
func Cancelled() *Fault {
	return &Fault{Code: 1312, Kind: CancelledByUser, What: "The startup was cancelled.", Do: "Start it again when you like."}
}

// ServerDied: lldb-server platform ended.
func ServerDied(status, stderr string) *Fault {
	if f := exhausted("lldb-server has ended", nil, stderr); f != nil {
		return f
	}
	f := &Fault{Code: 1313, Attribute: "lldbServer", What: "lldb-server has ended; the debug session is over.", Evidence: []string{status},
		Do: "Start the session again. If it repeats, try another LLDB version with " + Name("lldbServer") + "."}
	return f.tail(stderr, nil)
}

// ConnectionLost: the connection between lldb-dap and the debug server broke.
func ConnectionLost(why string) *Fault {
	return &Fault{Code: 1314, What: "The debug server has gone; the debug session is over.", Evidence: []string{plain(why)},
		Do: "Start the session again."}
}

// HelperDied: the helper ended in the middle of the session.
func HelperDied(why string) *Fault {
	if f := exhausted("the helper beside Envoy has gone", nil, why); f != nil {
		return f
	}
	return &Fault{Code: 1315, What: "The helper beside Envoy has gone; the debug session is over.", Evidence: []string{plain(why)},
		Do: "Start the session again."}
}

// EnvoyKilled: Envoy ended while the debugger held it.
func EnvoyKilled(pid int) *Fault {
	return &Fault{Code: 1316, What: "Envoy was killed while it stood still; the debug session is over.", Evidence: []string{fmt.Sprintf("pid %d", pid)},
		Do: "Find out who sends SIGKILL: a liveness probe, the memory limit (dmesg names it), or a person. Then start the session again."}
}

// PtraceRefused: the kernel does not let the debug server trace Envoy. do is a
// sentence.
func PtraceRefused(why, do string) *Fault {
	return &Fault{Code: 1317, What: "The debugger is not permitted to trace Envoy (ptrace).", Evidence: []string{plain(why)}, Do: do}
}

// NotTheStart: without the gate, the wait caught a process that only asks Envoy
// something.
func NotTheStart(pid int, what string) *Fault {
	return &Fault{Code: 1318, Attribute: "gate", What: "The wait caught an Envoy that only answers a question and ends; it was let go unharmed.",
		Evidence: []string{fmt.Sprintf("pid %d %s", pid, what)},
		Do:       "Use the gate (remove " + Assign("gate", "false") + "): it lets such a process through and waits for the real start."}
}

// GateUnreachable: a process of the agent has a user who cannot reach the gate. It
// may be none that starts Envoy. do is a sentence.
func GateUnreachable(why, do string) *Fault {
	return &Fault{Code: 1319, What: "A process of the agent has a user who cannot start Envoy through the gate.", Evidence: []string{why}, Do: do}
}
