package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// ED11xx: programs on this side.

// NoLLDBDap: lldb-dap was not found.
func NoLLDBDap(tried string) *Fault {
	return &Fault{Code: 1101, Kind: InstallLLDB, Attribute: "lldbDap", Setting: "envoy.lldbDap", Command: "apt install lldb-19", What: "lldb-dap was not found.", Evidence: []string{"tried " + tried},
		Do: `Install LLDB 19 or newer ("apt install lldb-19"), or set ` + Name("lldbDap") + " to the program."}
}

// LLDBTooOld: lldb-dap is older than the adapter can drive.
func LLDBTooOld(path, version string, oldest int) *Fault {
	return &Fault{Code: 1102, Kind: InstallLLDB, Attribute: "lldbDap", Setting: "envoy.lldbDap", Command: fmt.Sprintf("apt install lldb-%d", oldest), What: fmt.Sprintf("lldb-dap is version %s; version %d or newer is needed.", version, oldest),
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
	f := &Fault{Code: 1103, Attribute: "lldbDap", Command: path + " --help", What: "lldb-dap does not start.", Evidence: []string{path}, Cause: cause,
		Do: fmt.Sprintf("Run %q in a terminal to see why, or set %s to another one.", path+" --help", Name("lldbDap"))}
	return f.tail(stderr, cause)
}

// LLDBDapDied: lldb-dap ended in the middle of the session. said is what it has told
// the client, and what else may say why; it is not shown.
func LLDBDapDied(status, stderr, said string) *Fault {
	if f := exhausted("lldb-dap has ended ("+status+")", nil, stderr, said); f != nil {
		return f
	}
	f := &Fault{Code: 1104, Attribute: "lldbDap", What: "lldb-dap has crashed; the debug session is over.", Evidence: []string{status},
		Do: "Start the session again. If it repeats, try another LLDB version with " + Name("lldbDap") + "."}
	return f.tail(stderr, nil)
}

// NoHelper: the helper program is not beside envoydbg.
func NoHelper(path string, cause error) *Fault {
	if f := refusal("run the helper program", path, cause, ""); f != nil {
		return f
	}
	return &Fault{Code: 1105, Command: "make build", What: "The helper program is not beside envoydbg.", Evidence: []string{path}, Cause: cause,
		Do: `Build both with "make build", or install the two files side by side.`}
}

// NotHere: an Envoy of this machine cannot be debugged, because it is no Linux.
func NotHere(system string) *Fault {
	return &Fault{Code: 1111, What: fmt.Sprintf("An Envoy on this machine cannot be debugged: it runs %s, and the debugger needs Linux.", system),
		Attribute: "target", Do: fmt.Sprintf("Set %s to a pod or workload in Kubernetes, or work on a Linux machine, for example by SSH.", Name("target"))}
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
	return &Fault{Code: 1107, Attribute: "program", What: "The local program cannot be read.", Evidence: []string{path, why}, Cause: cause,
		Do: "Set " + Name("program") + " to the Envoy executable with symbols that you built."}
}

// NoSources: the program's line tables cannot be read.
func NoSources(path string, cause error) *Fault {
	return &Fault{Code: 1109, Attribute: "sourceMap", What: "The source paths in the local program cannot be read; breakpoints go by the paths as they are.",
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
