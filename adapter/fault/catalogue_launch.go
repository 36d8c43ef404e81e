package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"
)

// ED10xx: the launch configuration and the command line.

// BadAttribute: a launch attribute has a wrong type or value. fix is a sentence. On the
// command line, the attribute is a flag.
func BadAttribute(name, problem, fix string) *Fault {
	if flags != nil {
		return Usage(Name(name)+" "+problem, fix)
	}
	return &Fault{Code: 1001, Attribute: name, What: fmt.Sprintf("The launch attribute %q %s.", name, problem), Do: fix}
}

// BadTarget: the target is of a kind that does not exist.
func BadTarget(got string) *Fault {
	if flags != nil {
		return Usage(fmt.Sprintf("%s is %q, which is no known target", Name("target"), got), "Give a pod such as statefulset/fortio-server, or leave it out for this machine.")
	}
	return &Fault{Code: 1003, Attribute: "target", What: fmt.Sprintf("The launch attribute \"target\" is %q, which is no known target.", got),
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
	f := &Fault{Code: 1012, Attribute: "trace", What: "The file for the trace cannot be opened.", Evidence: []string{path, text(cause)}, Cause: cause,
		Do: "Give " + logName() + " a file that you can write."}
	switch {
	case errors.Is(cause, fs.ErrNotExist):
		f.Evidence = []string{path, "there is no folder " + filepath.Dir(path)}
		f.Do = "Create the folder, or give " + logName() + " another file."
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
	return &Fault{Code: 1016, Command: "ulimit -a", What: "A connection could not be served; the others go on.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Check the limits on processes and open files (\"ulimit -a\"), then connect again."}
}

// UnknownAttribute: a launch attribute that nobody is known to read.
func UnknownAttribute(name string) *Fault {
	return &Fault{Code: 1017, Attribute: name, What: fmt.Sprintf("The launch attribute %q is not known; it was passed to lldb-dap.", name),
		Do: "Remove it if lldb-dap does not know it either; docs/attributes.md lists the attributes."}
}

// NoEffect: a launch attribute of plain sessions in a startup session. do is a sentence.
func NoEffect(name, do string) *Fault {
	return &Fault{Code: 1018, Attribute: name, What: fmt.Sprintf("The launch attribute %q has no effect in a startup session.", name), Do: do}
}

// NoAgent: the program of the agent is not there.
func NoAgent(cause error) *Fault {
	return &Fault{Code: 1019, Attribute: "agent.command", What: "The program of the agent was not found.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Install it, or name another one with " + Name("agent.command") + "."}
}

// NotPermitted: a permission of the file system is missing. to is what was to be done.
func NotPermitted(to, path, why string) *Fault {
	return &Fault{Code: 1020, Command: mendBy(to, path), What: fmt.Sprintf("envoydbg is not permitted to %s.", to), Evidence: []string{path, plain(why)}, Do: mend(to, path)}
}

// NoLineTables: envoydbg sourcemap was given a program without debug information.
func NoLineTables(path string, cause error) *Fault {
	return &Fault{Code: 1021, What: "The program has no line tables, so it names no source files.", Evidence: []string{text(cause)}, Cause: cause,
		Do: "Name the unstripped file of the build: compile with -g, and with Bazel also with --strip=never."}
}
