package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ED15xx: the connection to a helper on another machine.

// LinkCut: the connection to the helper was cut, and is being taken up again.
func LinkCut(why error, patience time.Duration) *Fault {
	return &Fault{Code: 1501, What: "The connection to the helper beside Envoy was cut.", Evidence: []string{text(why)}, Cause: why,
		Do: fmt.Sprintf("Wait: it is being made again for up to %v, and the session then goes on as it was.", patience)}
}

// LinkLost: the connection to the helper could not be taken up again.
func LinkLost(waited, lease time.Duration, cut, last error) *Fault {
	return &Fault{Code: 1502, What: fmt.Sprintf("The connection to the helper beside Envoy could not be made again within %v; the debug session is over.", waited.Round(time.Second)),
		Evidence: []string{"cut by:      " + text(cut), "last attempt: " + text(last)}, Cause: errors.Join(cut, last),
		Do: fmt.Sprintf("Start the session again when Envoy's machine can be reached. The helper ends Envoy, the agent and itself %v after the cut.", lease)}
}

// SessionGone: the helper that the session had is not there any more.
func SessionGone(cause error) *Fault {
	return &Fault{Code: 1503, What: "The helper beside Envoy has ended, and with it Envoy and the agent; the debug session is over.",
		Evidence: []string{text(cause)}, Cause: cause, Do: "Start the session again. If it repeats, look whether the container is killed there, for example because its memory is short."}
}

// SessionTaken: another session is beside that Envoy. who is empty when that is not
// known yet.
func SessionTaken(dir, who string, since time.Time) *Fault {
	f := &Fault{Code: 1504, What: "Somebody else debugs this Envoy.", Evidence: []string{dir},
		Do: "Wait for the end of that session, or ask for it. When its user has gone for good, it ends by itself some minutes later."}
	if who != "" {
		f.Evidence = []string{fmt.Sprintf("%s, since %s", who, since.Local().Format(time.DateTime)), dir}
	}
	return f
}

// HelperVersion: the helper that answers is of another release.
func HelperVersion(cause error) *Fault {
	return &Fault{Code: 1505, What: "The helper beside Envoy is of another release than envoydbg.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Install envoydbg and its helper of one release. If a session of the other release still runs there, wait for its end."}
}

// HelperUser: the helper's folder beside Envoy belongs to another user.
func HelperUser(dir string, cause error) *Fault {
	return &Fault{Code: 1506, What: "The helper's folder beside Envoy belongs to another user.", Evidence: []string{dir, text(cause)}, Cause: cause,
		Do: "Run the helper as the user that it was first run as, or remove the folder."}
}

// HelperUnreached: the helper could not be started or reached beside Envoy.
func HelperUnreached(cause error) *Fault {
	return &Fault{Code: 1507, What: "The helper beside Envoy cannot be started or reached.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Start the session again; with " + logFile() + " the trace says what happened."}
}

// EndUntold: the helper could not be told that the session has ended.
func EndUntold(lease time.Duration) *Fault {
	return &Fault{Code: 1508, What: "The session has ended while the connection to the helper beside Envoy was cut.",
		Do: fmt.Sprintf("Wait: the helper ends Envoy, the agent and itself within %v.", lease)}
}

// AgentLeft: an agent that an earlier session, or "agent start", has left is there.
func AgentLeft(who string, since time.Time, command string, pid int, stopped bool, target string) *Fault {
	how := "runs"
	if stopped {
		how = "Envoy is stopped"
	}
	return &Fault{Code: 1510, Command: "envoydbg agent stop " + target, What: "An agent that was left here is still there, and one can be at a time.",
		Evidence: []string{fmt.Sprintf("%s (pid %d), %s", command, pid, how), fmt.Sprintf("left by %s, there since %s", who, since.Local().Format(time.DateTime))},
		Do:       fmt.Sprintf("Look at it with \"envoydbg logs %[1]s\"; \"envoydbg agent stop %[1]s\" ends it.", target)}
}

// AgentInSession: what is to be stopped belongs to a debug session.
func AgentInSession(who string, since time.Time) *Fault {
	return &Fault{Code: 1511, What: "A debug session has this agent; it was not stopped.",
		Evidence: []string{fmt.Sprintf("%s, since %s", who, since.Local().Format(time.DateTime))},
		Do:       "End that session, or ask for it. \"envoydbg agent stop TARGET --force\" ends it from here."}
}

// AgentEndedSoon: an agent that was started without a debugger has ended at once.
func AgentEndedSoon(command, status, said string) *Fault {
	return &Fault{Code: 1513, What: fmt.Sprintf("The agent has ended at once: %s.", status), Evidence: append([]string{command}, strings.Split(strings.TrimSpace(said), "\n")...),
		Do: "Look at what it says. The command after \"--\" takes the place of the pod's own."}
}

// NotStopped: there is nothing that could be let run on.
func NotStopped(where string, cause error) *Fault {
	return &Fault{Code: 1514, What: fmt.Sprintf("Nothing is to be continued in %s.", where), Evidence: []string{text(cause)}, Cause: cause,
		Do: "\"envoydbg agent status TARGET\" says what is there."}
}

// EnvoyRuns: the container has an agent or an Envoy that envoydbg has not started. A session
// would come too late for that, and a second one could not have its ports.
func EnvoyRuns(container string, running ...string) *Fault {
	return &Fault{Code: 1520, Attribute: "hold", What: fmt.Sprintf("An agent or Envoy runs in %s already, and envoydbg has not started it.", container), Evidence: running,
		Do: "Debug a held copy of the pod, which \"envoydbg hold TARGET\" makes."}
}

// PodRestarts: something in the pod's specification ends or restarts the container under
// the debugger.
func PodRestarts(check, what, why, fix string) *Fault {
	return &Fault{Code: 1521, What: "The session may be ended by the cluster.", Evidence: []string{check + ": " + what, why}, Do: upperFirst(fix) + "."}
}
