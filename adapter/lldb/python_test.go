package lldb

import (
	"slices"
	"testing"
)

// What LLDB 19 and 22 print, which of them repeats the command.
func TestWhetherPythonWorksIsReadFromTheImport(t *testing.T) {
	for _, test := range []struct{ said, why string }{
		{"", ""},
		{"(lldb) " + PythonCommand + "\n", ""},
		{"error: SBCommandInterpreter or the command line is not valid\n", ""}, // no debugger yet
		{"error: module importing failed: Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\n" +
			"ModuleNotFoundError: No module named 'lldb'\n", "ModuleNotFoundError: No module named 'lldb'"},
		{"(lldb) " + PythonCommand + "\nerror: module importing failed: This script interpreter does not support importing modules.\n",
			"This script interpreter does not support importing modules."},
	} {
		f := CheckPython("/bin/lldb-dap", Version{22, "22.1.8"}, test.said)
		if (f == nil) != (test.why == "") || f != nil && !slices.Contains(f.Evidence, test.why) {
			t.Errorf("%q: %v, want %q", test.said, f, test.why)
		}
	}
}
