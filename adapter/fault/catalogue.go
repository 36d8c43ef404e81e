package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// --- ED10xx: the launch configuration and the command line -------------------

// BadAttribute: a launch attribute has a wrong type or value. fix is a sentence. On the
// command line, the attribute is a flag.
func BadAttribute(name, problem, fix string) *Fault {
	if flags != nil {
		return Usage(Name(name)+" "+problem, fix)
	}
	return &Fault{Code: 1001, What: fmt.Sprintf("The launch attribute %q %s.", name, problem), Do: fix}
}

// BadTarget: the target is of a kind that does not exist.
func BadTarget(got string) *Fault {
	if flags != nil {
		return Usage(fmt.Sprintf("%s is %q, which is no known target", Name("target"), got), "Give a pod such as statefulset/fortio-server, or leave it out for this machine.")
	}
	return &Fault{Code: 1003, What: fmt.Sprintf("The launch attribute \"target\" is %q, which is no known target.", got),
		Do: `Set it to "local" for an Envoy on this machine, to a pod such as "statefulset/fortio-server", or remove it for plain lldb-dap.`}
}

// Usage: the words of the command line are not valid. do is a sentence.
func Usage(problem, do string) *Fault {
	return &Fault{Code: 1010, What: fmt.Sprintf("The command line is not valid: %s.", plain(problem)), Do: do}
}

// Listen: dap --listen cannot listen at the address.
func Listen(address string, cause error) *Fault {
	return &Fault{Code: 1011, What: fmt.Sprintf("envoydbg cannot listen on %s.", address), Evidence: []string{text(cause)}, Cause: cause,
		Do: "Give another address; for a unix socket, remove the file if nothing listens on it any more."}
}

// Log: the file for the trace cannot be opened.
func Log(path string, cause error) *Fault {
	if f := refusal("write the trace", path, cause, ""); f != nil {
		return f
	}
	f := &Fault{Code: 1012, What: "The file for the trace cannot be opened.", Evidence: []string{path, text(cause)}, Cause: cause,
		Do: "Give " + logFile() + " a file that you can write."}
	switch {
	case errors.Is(cause, fs.ErrNotExist):
		f.Evidence = []string{path, "there is no folder " + filepath.Dir(path)}
		f.Do = "Create the folder, or give " + logFile() + " another file."
	case errors.Is(cause, syscall.ENXIO):
		f.Evidence = []string{path, "it is a pipe that nobody reads, or a socket"}
	}
	return f
}

// LogCut: the trace cannot be written any more.
func LogCut(path string, cause error) *Fault {
	return &Fault{Code: 1013, What: "The trace is incomplete: it could not be written.", Evidence: []string{path, text(cause)}, Cause: cause,
		Do: "Make room on that disk, or give another file, and start the session again."}
}

// OutputLost: what envoydbg run prints cannot be written.
func OutputLost(cause error) *Fault {
	return &Fault{Code: 1014, What: "The output cannot be written; the session was ended.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Keep the reader of the output running, or make room on the disk it goes to."}
}

// InputEnded: the input has ended, and the command under way has not.
func InputEnded(command string, waited time.Duration) *Fault {
	return &Fault{Code: 1015, What: fmt.Sprintf("The input has ended, and %v later the last command had not; the session was ended.", waited),
		Evidence: []string{command},
		Do:       `Keep the input open for as long as the command takes, or give the commands with "--execute".`}
}

// NotBound: a script has a breakpoint at which Envoy will not stop.
func NotBound(spec, why string) *Fault {
	return &Fault{Code: 1030, What: fmt.Sprintf("The breakpoint %q is not bound; the script was ended.", spec), Evidence: []string{why},
		Do: "Correct it, or leave it out: the script could wait for ever for a stop there."}
}

// Connection: one client of dap --listen could not be served.
func Connection(cause error) *Fault {
	return &Fault{Code: 1016, What: "A connection could not be served; the others go on.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Check the limits on processes and open files (\"ulimit -a\"), then connect again."}
}

// UnknownAttribute: a launch attribute that nobody is known to read.
func UnknownAttribute(name string) *Fault {
	return &Fault{Code: 1017, What: fmt.Sprintf("The launch attribute %q is not known; it was passed to lldb-dap.", name),
		Do: "Remove it if lldb-dap does not know it either; docs/attributes.md lists the attributes."}
}

// NoEffect: a launch attribute of plain sessions in a startup session. do is a sentence.
func NoEffect(name, do string) *Fault {
	return &Fault{Code: 1018, What: fmt.Sprintf("The launch attribute %q has no effect in a startup session.", name), Do: do}
}

// NoAgent: the program of the agent is not there.
func NoAgent(cause error) *Fault {
	return &Fault{Code: 1019, What: "The program of the agent was not found.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Install it, or name another one with " + Name("agent.command") + "."}
}

// NotPermitted: a permission of the file system is missing. to is what was to be done.
func NotPermitted(to, path, why string) *Fault {
	return &Fault{Code: 1020, What: fmt.Sprintf("envoydbg is not permitted to %s.", to), Evidence: []string{path, plain(why)}, Do: mend(to, path)}
}

// NoLineTables: envoydbg sourcemap was given a program without debug information.
func NoLineTables(path string, cause error) *Fault {
	return &Fault{Code: 1021, What: "The program has no line tables, so it names no source files.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Name the unstripped file of the build: compile with -g, and with Bazel also with --strip=never."}
}

// --- ED11xx: programs on this side -------------------------------------------

// NoLLDBDap: lldb-dap was not found.
func NoLLDBDap(tried string) *Fault {
	return &Fault{Code: 1101, What: "lldb-dap was not found.", Evidence: []string{"tried " + tried},
		Do: `Install LLDB 19 or newer ("apt install lldb-19"), or set ` + Name("lldbDap") + " to the program."}
}

// LLDBTooOld: lldb-dap is older than the adapter can drive.
func LLDBTooOld(path, version string, oldest int) *Fault {
	return &Fault{Code: 1102, What: fmt.Sprintf("lldb-dap is version %s; version %d or newer is needed.", version, oldest),
		Evidence: []string{path},
		Do:       fmt.Sprintf(`Install it ("apt install lldb-%d"), or set %s to a newer one.`, oldest, Name("lldbDap"))}
}

// LLDBDapStart: lldb-dap did not start, or said nothing that is DAP. For said see
// LLDBDapDied.
func LLDBDapStart(path, stderr, said string, cause error) *Fault {
	if f := exhausted("lldb-dap does not start", cause, stderr, said); f != nil {
		return f
	}
	if f := refusal("run lldb-dap", path, cause, ""); f != nil {
		return f
	}
	f := &Fault{Code: 1103, What: "lldb-dap does not start.", Evidence: []string{path}, Cause: cause,
		Do: fmt.Sprintf("Run %q in a terminal to see why, or set %s to another one.", path+" --help", Name("lldbDap"))}
	return f.tail(stderr, cause)
}

// LLDBDapDied: lldb-dap ended in the middle of the session. said is what it has told
// the client, and what else may say why; it is not shown.
func LLDBDapDied(status, stderr, said string) *Fault {
	if f := exhausted("lldb-dap has ended ("+status+")", nil, stderr, said); f != nil {
		return f
	}
	f := &Fault{Code: 1104, What: "lldb-dap has crashed; the debug session is over.", Evidence: []string{status},
		Do: "Start the session again. If it repeats, try another LLDB version with " + Name("lldbDap") + "."}
	return f.tail(stderr, nil)
}

// NoHelper: the helper program is not beside envoydbg.
func NoHelper(path string, cause error) *Fault {
	if f := refusal("run the helper program", path, cause, ""); f != nil {
		return f
	}
	return &Fault{Code: 1105, What: "The helper program is not beside envoydbg.", Evidence: []string{path}, Cause: cause,
		Do: `Build both with "make build", or install the two files side by side.`}
}

// HelperStart: the helper did not start or did not answer.
func HelperStart(cause error, stderr string) *Fault {
	var file *fs.PathError
	if errors.As(cause, &file) {
		if f := refusal("run the helper program", file.Path, cause, ""); f != nil {
			return f
		}
	}
	if f := exhausted("the helper does not start", cause, stderr); f != nil {
		return f
	}
	f := &Fault{Code: 1106, What: "The helper program does not start.", Cause: cause,
		Do: "Check that it may be executed here (noexec mount, file mode), then start again."}
	return f.tail(stderr, cause)
}

// BadProgram: the local program cannot be read as an ELF.
func BadProgram(path string, cause error) *Fault {
	if f := refusal("read the local program", path, cause, ""); f != nil {
		return f
	}
	why := strings.TrimPrefix(text(cause), path+": ")
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		why = "it is a folder"
	}
	return &Fault{Code: 1107, What: "The local program cannot be read.", Evidence: []string{path, why}, Cause: cause,
		Do: "Set " + Name("program") + " to the Envoy executable with symbols that you built."}
}

// NoSources: the program's line tables cannot be read.
func NoSources(path string, cause error) *Fault {
	return &Fault{Code: 1109, What: "The source paths in the local program cannot be read; breakpoints go by the paths as they are.",
		Evidence: []string{path, text(cause)}, Cause: cause,
		Do: "Build the program again, or give " + Name("sourceMap") + " by hand."}
}

// NoTempDir: no place for the session's folder. tried has a line for each place.
func NoTempDir(tried []string, maxPath int, cause error) *Fault {
	return &Fault{Code: 1110, What: "No folder for the session's sockets can be made.", Evidence: tried, Cause: cause,
		Do: fmt.Sprintf("Free space in one of these places or make it writable, or set TMPDIR to a folder whose path is shorter than %d bytes.", maxPath-longestName)}
}

// longestName is how much the name of the session's folder adds to a path.
const longestName = len("/envoydbg-4294967295")

// --- ED12xx: what is beside Envoy --------------------------------------------

// NoLLDBServer: lldb-server was not found beside Envoy.
func NoLLDBServer(name, why string) *Fault {
	return &Fault{Code: 1201, What: "lldb-server was not found.", Evidence: []string{name, why},
		Do: `Install it ("apt install lldb-19"), or set ` + Name("lldbServer") + " to the program."}
}

// BuildIDMismatch: the local program is not the Envoy that will run.
func BuildIDMismatch(local, localID, remote, remoteID string) *Fault {
	return &Fault{Code: 1203, What: "The local program is not the Envoy that will run.",
		Evidence: []string{
			beside("program", local) + "   build-id " + orNone(localID),
			beside("envoyPath", remote) + "   build-id " + orNone(remoteID),
		},
		Do: "Breakpoints would land on wrong addresses. Set " + Name("program") + " to the unstripped file of that very build, or " +
			Name("envoyPath") + " to the build you have."}
}

// NoBuildID: neither file has a build-id, and they differ.
func NoBuildID(local, remote string) *Fault {
	return &Fault{Code: 1204, What: "It cannot be checked that the local program is the Envoy that will run: there is no build-id.",
		Evidence: []string{beside("program", local), beside("envoyPath", remote)},
		Do:       `Link Envoy with "-Wl,--build-id", or let ` + Name("program") + " and " + Name("envoyPath") + " name the same file."}
}

// BadEnvoyPath: the Envoy to run cannot be read.
func BadEnvoyPath(path, why string) *Fault {
	if f := refusal("read the Envoy that the agent would start", path, nil, why); f != nil {
		return f
	}
	return &Fault{Code: 1205, What: "The Envoy that the agent would start cannot be read.", Evidence: []string{path, plain(why)},
		Do: "Set " + Name("envoyPath") + " to the Envoy executable (in an Istio image it is /usr/local/bin/envoy)."}
}

// ServerStart: lldb-server platform did not start.
func ServerStart(why string) *Fault {
	if f := exhausted("lldb-server does not start", nil, why); f != nil {
		return f
	}
	return &Fault{Code: 1206, What: "lldb-server does not start.", Evidence: []string{plain(why)},
		Do: `Run "lldb-server version" there to see why, or set ` + Name("lldbServer") + " to another one."}
}

// PlatformConnect: lldb-dap could not use the lldb-server platform.
func PlatformConnect(why string) *Fault {
	return &Fault{Code: 1207, What: "lldb-dap could not attach through lldb-server.", Evidence: []string{why},
		Do: "lldb-dap and lldb-server should be of one version; check " + Name("lldbDap") + " and " + Name("lldbServer") + ". LLDB's own words are " + console() + "."}
}

// WrongMachine: program and Envoy are for different processors.
func WrongMachine(local, localArch, remote, remoteArch string) *Fault {
	return &Fault{Code: 1208, What: fmt.Sprintf("The local program is for %s, the Envoy that will run is for %s.", localArch, remoteArch),
		Evidence: []string{beside("program", local), beside("envoyPath", remote)},
		Do:       "Set " + Name("program") + " to the build for " + remoteArch + "."}
}

// --- ED13xx: startup ------------------------------------------------------------

// AgentStart: the agent could not be started.
func AgentStart(command []string, why string) *Fault {
	if f := exhausted("the agent does not start", nil, why); f != nil {
		return f
	}
	if f := refusal("run the agent", command[0], nil, why); f != nil {
		return f
	}
	return &Fault{Code: 1301, What: "The agent could not be started.", Evidence: []string{strings.Join(command, " "), plain(why)},
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
	return &Fault{Code: 1304, What: fmt.Sprintf("The agent started no Envoy within %v.", waited),
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
	return &Fault{Code: 1306, What: "The gate could not start the real Envoy.", Evidence: []string{path, plain(why)},
		Do: "Set " + Name("envoyPath") + " to an executable Envoy."}
}

// GateBypassed: the agent started Envoy, or became Envoy, without passing the
// gate. do is a sentence.
func GateBypassed(pid int, how, do string) *Fault {
	return &Fault{Code: 1307, What: "The agent started Envoy without passing the gate.", Evidence: []string{fmt.Sprintf("pid %d: %s", pid, how)}, Do: do}
}

// EnvoyRunning: without the gate, an Envoy of that name is running already.
func EnvoyRunning(detail string) *Fault {
	return &Fault{Code: 1308, What: "An Envoy of that name is running already, and without the gate it would be caught instead.", Evidence: []string{detail},
		Do: "Stop it, or use the gate (remove " + Assign("gate", "false") + ")."}
}

// ForeignProcess: the attach caught a process that the agent did not start.
func ForeignProcess(pid int, exe string) *Fault {
	return &Fault{Code: 1309, What: "The wait caught an Envoy that this session did not start; it was let go unharmed.", Evidence: []string{fmt.Sprintf("pid %d %s", pid, plain(exe))},
		Do: "Use the gate (remove " + Assign("gate", "false") + "): it waits under a name that nobody else has."}
}

// AttachFailed: the debug server refused the attach.
func AttachFailed(why string) *Fault {
	return &Fault{Code: 1310, What: "The debug server could not attach to Envoy.", Evidence: []string{plain(why)},
		Do: "Check that ptrace is permitted there: the same user, or CAP_SYS_PTRACE; kernel.yama.ptrace_scope at most 1."}
}

// NotManual: startAgent was asked for at the wrong time.
func NotManual(why string) *Fault {
	return &Fault{Code: 1311, What: "The agent cannot be started now.", Evidence: []string{why},
		Do: "Start it by hand (Envoy: Start Agent) in a session with " + Assign("agent.start", `"manual"`) + ", once that is armed and waiting."}
}

// NotYet: a request about a process came while the debugger waits for it.
func NotYet(command string) *Fault {
	return &Fault{Code: 1320, What: fmt.Sprintf("Envoy has not started yet; %q needs a process.", command),
		Do: "Ask again when Envoy is attached."}
}

// Cancelled: the user ended the startup.
func Cancelled() *Fault {
	return &Fault{Code: 1312, What: "The startup was cancelled.", Do: "Start it again when you like."}
}

// ServerDied: lldb-server platform ended.
func ServerDied(status, stderr string) *Fault {
	if f := exhausted("lldb-server has ended", nil, stderr); f != nil {
		return f
	}
	f := &Fault{Code: 1313, What: "lldb-server has ended; the debug session is over.", Evidence: []string{status},
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
	return &Fault{Code: 1318, What: "The wait caught an Envoy that only answers a question and ends; it was let go unharmed.",
		Evidence: []string{fmt.Sprintf("pid %d %s", pid, what)},
		Do:       "Use the gate (remove " + Assign("gate", "false") + "): it lets such a process through and waits for the real start."}
}

// GateUnreachable: a process of the agent has a user who cannot reach the gate. It
// may be none that starts Envoy. do is a sentence.
func GateUnreachable(why, do string) *Fault {
	return &Fault{Code: 1319, What: "A process of the agent has a user who cannot start Envoy through the gate.", Evidence: []string{why}, Do: do}
}

// --- ED14xx: the session later on --------------------------------------------

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
	return &Fault{Code: 1403, What: fmt.Sprintf("The breakpoint preset %q found no place to stop.", preset), Evidence: []string{said},
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

// PastMain: without the gate, the debugger came after main had begun.
func PastMain(pid int) *Fault {
	return &Fault{Code: 1410, What: fmt.Sprintf("Envoy (pid %d) was caught after main had begun, and stops where it is.", pid),
		Do: "Use the gate (" + Assign("gate", "true") + "), which holds Envoy before its first instruction."}
}

// LeftRunning: the cleanup could not end everything.
func LeftRunning(pids []int) *Fault {
	return &Fault{Code: 1404, What: fmt.Sprintf("Processes of this session could not be ended: %v.", pids),
		Do: "End them by hand; \"ps -o pid,stat,cmd -p PID\" says what they wait for."}
}

// LeftUnknown: it is not known whether the cleanup has ended everything.
func LeftUnknown(cause error) *Fault {
	return &Fault{Code: 1411, What: "Something of this session may still be running.", Evidence: []string{text(cause)}, Cause: cause,
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
	return &Fault{Code: 1408, What: "Envoy could not be left running: the debugger did not let go of it. Envoy and its agent were ended.",
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
	case errors.Is(cause, syscall.EMFILE):
		f.Do = `Raise the limit ("sysctl fs.inotify.max_user_instances=1024"), or start the session again after a rebuild.`
	}
	return f
}

// NoPython: LLDB cannot format the values of C++.
func NoPython(lldbDap string, v string, major int, why string) *Fault {
	return &Fault{Code: 1420, What: fmt.Sprintf("LLDB %s has no working Python; many C++ strings and containers will look empty.", v),
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

// --- ED15xx: the connection to a helper on another machine -----------------------

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
		Do: "Start the session again; with \"--log FILE\" the trace says what happened."}
}

// EndUntold: the helper could not be told that the session has ended.
func EndUntold(lease time.Duration) *Fault {
	return &Fault{Code: 1508, What: "The session has ended while the connection to the helper beside Envoy was cut.",
		Do: fmt.Sprintf("Wait: the helper ends Envoy, the agent and itself within %v.", lease)}
}

// --- ED19xx: the adapter and its machine ---------------------------------------

// Exhausted: the machine has run out of something. during says what came of it, found
// is the system's own word for it, and do what to do about it.
func Exhausted(resource, during, found, do string) *Fault {
	return &Fault{Code: 1906, What: fmt.Sprintf("A limit of this machine is reached: %s.", resource), Evidence: []string{during, found}, Do: do}
}

// Internal: a step that should not fail did.
func Internal(cause error) *Fault {
	return &Fault{Code: 1901, What: "An internal step failed.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Start the session again; with " + logFile() + " the trace says what happened."}
}

// BadClient: the client's stream is not DAP.
func BadClient(cause error) *Fault {
	return &Fault{Code: 1902, What: "The client sent something that is not the Debug Adapter Protocol.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "\"envoydbg dap\" is started by an editor; in a terminal use \"envoydbg run\"."}
}

// OutOfOrder: a request came at a point where it makes no sense.
func OutOfOrder(command, why string) *Fault {
	return &Fault{Code: 1903, What: fmt.Sprintf("The request %q cannot be answered: %s.", command, why),
		Do: "The client should send initialize, then launch or attach, once each."}
}

// Panicked: a step of the adapter's own failed in a way that nobody foresaw.
func Panicked(what string, p any) *Fault {
	return &Fault{Code: 1904, What: fmt.Sprintf("envoydbg has a defect: %s failed.", what), Evidence: []string{fmt.Sprint(p)},
		Do: "Please report it, with the trace that " + logFile() + " writes."}
}

// EndTooLong: the session's parts did not end in time.
func EndTooLong(waited time.Duration) *Fault {
	return &Fault{Code: 1905, What: fmt.Sprintf("The session did not end within %v; envoydbg ends without it.", waited),
		Do: "The helper ends by itself what it started; if \"ps -ef\" still shows lldb-dap or lldb-server after ten seconds, end them by hand."}
}

// tail adds the last lines of a program's stderr, or its cause, as evidence.
func (f *Fault) tail(stderr string, cause error) *Fault {
	if s := strings.TrimSpace(stderr); s != "" {
		return f.With("%s", s)
	}
	if cause != nil {
		return f.With("%s", text(cause))
	}
	return f
}

// beside is a path behind the name of its attribute, as wide as the longer one of two.
func beside(attribute, path string) string {
	return fmt.Sprintf("%-*s  %s", max(len(column("program")), len(column("envoyPath"))), column(attribute), path)
}

// column is an attribute's name without quotes.
func column(attribute string) string { return strings.Trim(Name(attribute), `"`) }

func orNone(id string) string {
	if id == "" {
		return "(none)"
	}
	return id
}

// Faults of clusters.

// NoCluster: the kubeconfig or a flag for it is not right.
func NoCluster(err error) *Fault {
	return &Fault{Code: 1601, What: "There is no way to the cluster.", Evidence: []string{text(err)},
		Do: "Try \"kubectl get pods\" with the same kubeconfig and flags.", Cause: err}
}

// NoPod: the target leads to no pod.
func NoPod(target, namespace, why string) *Fault {
	return &Fault{Code: 1602, What: fmt.Sprintf("There is no pod for %s in the namespace %q.", target, namespace), Evidence: []string{plain(why)},
		Do: fmt.Sprintf("Set %s to a pod or workload that \"kubectl get\" shows, and %s to where it is.", Name("target"), Name("namespace"))}
}

// ManyPods: the target leads to more than one pod.
func ManyPods(target string, pods []string) *Fault {
	return &Fault{Code: 1603, What: fmt.Sprintf("%s has %d pods.", target, len(pods)), Evidence: pods,
		Do: fmt.Sprintf("Set %s to one of them.", Name("target"))}
}

// NoContainer: the pod has no such container, or it does not run.
func NoContainer(what string) *Fault {
	return &Fault{Code: 1604, What: fmt.Sprintf("The container cannot be debugged: %s.", what),
		Do: fmt.Sprintf("Set %s to the one with Envoy in it, or wait until it runs.", Name("container"))}
}

// Forbidden: the user may not do what is needed.
func Forbidden(what string) *Fault {
	return &Fault{Code: 1605, What: "The cluster does not permit what is needed.", Evidence: []string{what},
		Do: "docs/security.md has the Role that a user of envoydbg needs."}
}

// Exec: a command could not be run in the container.
func Exec(container string, err error) *Fault {
	return &Fault{Code: 1606, What: fmt.Sprintf("No command can be run in %s.", container), Evidence: []string{text(err)},
		Do: "Try \"kubectl exec\" with \"sh -c true\" there; the image needs a shell.", Cause: err}
}

// NoPlace: nowhere in the container can the helper be put.
func NoPlace(container string, places, why []string) *Fault {
	evidence := why
	if len(evidence) == 0 {
		evidence = []string{"none of these can be written to: " + strings.Join(places, ", ")}
	}
	return &Fault{Code: 1607, What: fmt.Sprintf("There is no folder for the helper in %s.", container), Evidence: evidence,
		Do: "Mount an emptyDir on disk there, as Istio does at /var/lib/istio/data."}
}

// Upload: something could not be brought into the container.
func Upload(what, container string, err error) *Fault {
	return &Fault{Code: 1608, What: fmt.Sprintf("%s could not be brought into %s.", upperFirst(what), container), Evidence: []string{text(err)},
		Do: "Look at the free space and the memory limit of the container, and start the session again.", Cause: err}
}

// NoSession: there is no session whose output could be shown.
func NoSession(container string, err error) *Fault {
	return &Fault{Code: 1609, What: fmt.Sprintf("There is no output of a session in %s.", container), Evidence: []string{text(err)},
		Do: "Start one with \"envoydbg run\"; its output goes with it.", Cause: err}
}

// InUse: what is to be removed belongs to a session that is there.
func InUse(dir string) *Fault {
	return &Fault{Code: 1610, What: "A session uses what is to be removed.", Evidence: []string{dir},
		Do: "End the session first; \"envoydbg logs\" shows whether it is yours."}
}
