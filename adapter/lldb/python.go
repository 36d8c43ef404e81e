package lldb

import (
	"strings"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// PythonCommand is the LLDB command that shows whether LLDB's Python works, by which it
// formats many values of C++. It imports a small module of LLDB's own package, which
// changes nothing. Unlike `script` it prints nothing by itself in the debug console. It
// takes 20 ms.
const PythonCommand = "command script import --silent lldb.utils"

// CheckPython reads what PythonCommand has printed; nil when Python works. Another error
// than that of an import says nothing of Python.
func CheckPython(dap string, v Version, said string) *fault.Fault {
	_, reason, failed := strings.Cut(said, "error: module importing failed: ")
	if !failed {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(reason), "\n")
	return fault.NoPython(dap, v.Text, v.Major, lines[len(lines)-1]) // the end of a traceback
}
