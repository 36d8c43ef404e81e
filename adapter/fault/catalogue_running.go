package fault

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// ED14xx: the session later on.

// Unsupported: lldb-dap cannot answer this request.
func Unsupported(command, version string) *Fault {
	return &Fault{Code: 1401, What: fmt.Sprintf("lldb-dap %s does not know the request %q.", version, command),
		Do: "A newer LLDB may know it."}
}

// NoRestart: Envoy cannot be restarted within a session.
func NoRestart() *Fault {
	return &Fault{Code: 1402, What: "A startup session cannot be restarted in place.", Do: "Stop it and start it again: the agent starts anew."}
}

// PresetUnbound: a breakpoint preset found nothing to stop at.
func PresetUnbound(preset, said string) *Fault {
	return &Fault{Code: 1403, Attribute: "breakpointPresets", What: fmt.Sprintf("The breakpoint preset %q found no place to stop.", preset), Evidence: []string{said},
		Do: "Remove it from " + Name("breakpointPresets") + ", or give a " + Name("program") + " with symbols."}
}

// NotAllBound: Envoy is about to run, and some breakpoints have no place. why has a
// line for each.
func NotAllBound(bound, all int, why []string) *Fault {
	return &Fault{Code: 1412, What: fmt.Sprintf("%d of %d breakpoints are bound.", bound, all), Evidence: why,
		Do: "Envoy runs and does not stop at the others: correct or remove them."}
}

// Unbound: a breakpoint that was set later has no place.
func Unbound(name, why string) *Fault {
	return &Fault{Code: 1413, What: fmt.Sprintf("The breakpoint %s is not bound.", name), Evidence: []string{why},
		Do: "Nothing stops there: correct or remove it."}
}

// HitCondition: LLDB does something else than the hit condition says.
func HitCondition(name, why string) *Fault {
	return &Fault{Code: 1414, What: fmt.Sprintf("The hit condition of the breakpoint %s is not what LLDB takes.", name), Evidence: []string{why},
		Do: "Give a number, or use a condition."}
}

// SharedLine: LLDB has one breakpoint for two of the editor's.
func SharedLine(name, why string) *Fault {
	return &Fault{Code: 1415, What: fmt.Sprintf("The breakpoint %s shares its line with another.", name), Evidence: []string{why},
		Do: "Remove one of them, or use a newer LLDB, which tells them apart by their columns."}
}

// Undone: at the end of a link, the debug server has refused what LLDB was told to be
// done.
func Undone(what, err string) *Fault {
	return &Fault{Code: 1416, What: fmt.Sprintf("%s has failed, so Envoy was not resumed.", what), Evidence: []string{"lldb-server: " + err},
		Do: "Continue without it; of a breakpoint, remove it first and set it elsewhere."}
}

// PastMain: without the gate, the debugger came after main had begun.
func PastMain(pid int) *Fault {
	return &Fault{Code: 1410, Attribute: "gate", What: fmt.Sprintf("Envoy (pid %d) was caught after main had begun, and stops where it is.", pid),
		Do: "Use the gate (" + Assign("gate", "true") + "), which holds Envoy before its first instruction."}
}

// LeftRunning: the cleanup could not end everything.
func LeftRunning(pids []int) *Fault {
	return &Fault{Code: 1404, What: fmt.Sprintf("Processes of this session could not be ended: %v.", pids),
		Do: "End them by hand; \"ps -o pid,stat,cmd -p PID\" says what they wait for."}
}

// LeftUnknown: it is not known whether the cleanup has ended everything.
func LeftUnknown(cause error) *Fault {
	return &Fault{Code: 1411, Command: "ps -ef", What: "Something of this session may still be running.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Look for lldb-server, the agent and Envoy with \"ps -ef\", and end them by hand."}
}

// SourceChanged: a local file is not the one that was compiled.
func SourceChanged(local string) *Fault {
	return &Fault{Code: 1405, What: "A source file is not the one that was compiled; lines may be off.", Evidence: []string{local},
		Do: "Build again, or check out the commit of the program."}
}

// Over: a request came when the session was over.
func Over(command string) *Fault {
	return &Fault{Code: 1406, What: fmt.Sprintf("The session is over; %q cannot be answered any more.", command),
		Do: "Start the session again to go on."}
}

// NotKept: Envoy was to run on after the session, and could not be let go.
func NotKept() *Fault {
	return &Fault{Code: 1408, What: "Envoy could not be left as it was: the debugger did not let go of it. Envoy and its agent were ended.",
		Do: "Start them again; to leave Envoy running, disconnect while it runs or stands at a breakpoint."}
}

// LLDBDapBehind: lldb-dap does not read what it is sent.
func LLDBDapBehind(cause error) *Fault {
	return &Fault{Code: 1407, What: "lldb-dap does not read its requests.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Wait, or stop the session: lldb-dap is busy, or it has been stopped."}
}

// NotWatched: rebuilds of the program will not be noticed.
func NotWatched(program string, cause error) *Fault {
	f := &Fault{Code: 1409, What: "A rebuild will not be noticed: the folders of the program cannot be watched.",
		Evidence: []string{program, text(cause)}, Cause: cause, Do: "Start the session again after a rebuild."}
	switch {
	case errors.Is(cause, syscall.ENOSPC):
		f.Do = `Raise the limit ("sysctl fs.inotify.max_user_watches=524288"), or start the session again after a rebuild.`
		f.Command = "sysctl fs.inotify.max_user_watches=524288"
	case errors.Is(cause, syscall.EMFILE):
		f.Do = `Raise the limit ("sysctl fs.inotify.max_user_instances=1024"), or start the session again after a rebuild.`
		f.Command = "sysctl fs.inotify.max_user_instances=1024"
	}
	return f
}

// ProgramReplaced: the program was built again while it is debugged.
func ProgramReplaced(program, before, now string) *Fault {
	return &Fault{Code: 1417, What: "The program was built again; this session goes on with the one that it began with.",
		Evidence: []string{program, "build-id " + before + ", now " + now},
		Do:       "Start the session again to debug the new one."}
}

// NoPython: LLDB cannot format the values of C++.
func NoPython(lldbDap string, v string, major int, why string) *Fault {
	return &Fault{Code: 1420, Command: fmt.Sprintf("apt install python3-lldb-%d", major), What: fmt.Sprintf("LLDB %s has no working Python; many C++ strings and containers will look empty.", v),
		Evidence: []string{lldbDap, why},
		Do:       fmt.Sprintf("Install its Python module (Debian, Ubuntu: \"apt install python3-lldb-%d\").", major)}
}

// SourceSavedLater: a local file is younger than the program, and nothing better tells
// whether it is what was compiled.
func SourceSavedLater(local string, saved, built time.Time) *Fault {
	return &Fault{Code: 1421, What: "A source file has probably changed since the program was built; lines may be off.",
		Evidence: []string{local + "  saved " + saved.Format(time.DateTime), "program  built " + built.Format(time.DateTime)},
		Do:       "Build again, or check out the commit of the program."}
}
