package lldb

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// install makes empty programs in a folder of the test's and returns the folder.
func install(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		write(t, filepath.Join(dir, name), 0o755)
	}
	return dir
}

func write(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
		t.Fatal(err)
	}
}

func faultOf(t *testing.T, err error, code int) *fault.Fault {
	t.Helper()
	var f *fault.Fault
	if !errors.As(err, &f) || f.Code != code {
		t.Fatalf("got %v, want ED%d", err, code)
	}
	return f
}

func TestTheDebuggerIsFoundInPATH(t *testing.T) {
	for _, test := range []struct {
		name      string
		installed []string
		want      string
	}{
		{"the plain name", []string{"lldb-dap"}, "lldb-dap"},
		{"the plain name goes first", []string{"lldb-dap-22", "lldb-dap"}, "lldb-dap"},
		{"Debian's name", []string{"lldb-dap-19"}, "lldb-dap-19"},
		{"the newest of several", []string{"lldb-dap-19", "lldb-dap-22", "lldb-dap-20"}, "lldb-dap-22"},
		{"not one that is too old", []string{"lldb-dap-18", "lldb-dap-19"}, "lldb-dap-19"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := install(t, test.installed...)
			t.Setenv("PATH", t.TempDir()+":"+dir)
			got, err := FindDAP("")
			if err != nil || got != filepath.Join(dir, test.want) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Setenv("PATH", install(t, "lldb-dap-18", "lldb-vscode"))
		_, err := FindDAP("")
		if f := faultOf(t, err, 1101); !strings.Contains(f.Error(), "in PATH") {
			t.Error(f)
		}
	})
}

func TestTheDebuggerMayBeNamed(t *testing.T) {
	dir := install(t, "lldb-dap", "my-dap")
	elsewhere := install(t, "their-dap")
	t.Setenv("PATH", dir)
	for wanted, want := range map[string]string{
		"my-dap":                              filepath.Join(dir, "my-dap"),
		filepath.Join(elsewhere, "their-dap"): filepath.Join(elsewhere, "their-dap"),
	} {
		if got, err := FindDAP(wanted); err != nil || got != want {
			t.Errorf("%s: got %q, %v", wanted, got, err)
		}
	}
	plain := filepath.Join(elsewhere, "plain")
	write(t, plain, 0o644)
	for wanted, why := range map[string]string{
		"their-dap":                          "not in PATH",
		filepath.Join(elsewhere, "lldb-dap"): "no such program",
		elsewhere:                            "it is a folder",
	} {
		_, err := FindDAP(wanted)
		if f := faultOf(t, err, 1101); !strings.Contains(f.Error(), wanted+": "+why) {
			t.Errorf("%s: %v", wanted, f)
		}
		// The same words, and another number, for the server.
		_, err = FindServer(wanted, "", Version{})
		if f := faultOf(t, err, 1201); !strings.Contains(f.Error(), wanted+": "+why) {
			t.Errorf("%s: %v", wanted, f)
		}
	}
	// One that is there is not called missing.
	_, dap := FindDAP(plain)
	_, server := FindServer(plain, "", Version{})
	for what, err := range map[string]error{"run lldb-dap": dap, "run lldb-server": server} {
		if f := faultOf(t, err, 1020); !strings.Contains(f.What, what) || !strings.Contains(f.Error(), plain+" is not executable (mode -rw-r--r--)") {
			t.Error(f)
		}
	}
}

// The debug server is to be of the debugger's version.
func TestTheServerIsTheOneThatBelongsToTheDebugger(t *testing.T) {
	v19 := Version{Major: 19, Text: "19.1.7"}
	t.Run("named", func(t *testing.T) {
		lldb, path := install(t, "lldb-dap", "lldb-server"), install(t, "my-server")
		t.Setenv("PATH", path)
		if got, err := FindServer("my-server", filepath.Join(lldb, "lldb-dap"), v19); err != nil || got != filepath.Join(path, "my-server") {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("beside it, before any in PATH", func(t *testing.T) {
		lldb := install(t, "lldb-dap", "lldb-server")
		t.Setenv("PATH", install(t, "lldb-server", "lldb-server-19"))
		if got, err := FindServer("", filepath.Join(lldb, "lldb-dap"), v19); err != nil || got != filepath.Join(lldb, "lldb-server") {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("beside what a link in PATH leads to", func(t *testing.T) {
		lldb, path := install(t, "lldb-dap", "lldb-server"), install(t, "lldb-server")
		link := filepath.Join(path, "lldb-dap-19")
		if err := os.Symlink(filepath.Join(lldb, "lldb-dap"), link); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", path)
		if got, err := FindServer("", link, v19); err != nil || got != filepath.Join(lldb, "lldb-server") {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("of its version in PATH", func(t *testing.T) {
		lldb, path := install(t, "lldb-dap"), install(t, "lldb-server", "lldb-server-19", "lldb-server-22")
		t.Setenv("PATH", path)
		if got, err := FindServer("", filepath.Join(lldb, "lldb-dap"), v19); err != nil || got != filepath.Join(path, "lldb-server-19") {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("any in PATH", func(t *testing.T) {
		lldb, path := install(t, "lldb-dap"), install(t, "lldb-server-22")
		t.Setenv("PATH", path)
		if got, err := FindServer("", filepath.Join(lldb, "lldb-dap"), v19); err != nil || got != filepath.Join(path, "lldb-server-22") {
			t.Errorf("got %q, %v", got, err)
		}
	})
	t.Run("none", func(t *testing.T) {
		dap := filepath.Join(install(t, "lldb-dap"), "lldb-dap")
		t.Setenv("PATH", t.TempDir())
		_, err := FindServer("", dap, v19)
		if f := faultOf(t, err, 1201); !strings.Contains(f.Error(), dap) {
			t.Error(f)
		}
	})
}

func TestVersionsAreRead(t *testing.T) {
	for text, want := range map[string]Version{
		"lldb version 19.1.7": {19, "19.1.7"},
		"lldb version 22.1.8\n  clang revision abc\n  llvm revision": {22, "22.1.8"},
		"Debian lldb version 20":                                     {20, "20"},
		"lldb version 21.0.0git (https://example.com)":               {21, "21.0.0"},
	} {
		if got, ok := ParseVersion(text); !ok || got != want {
			t.Errorf("%q: %+v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "lldb-1700.0.9.502", "lldb version", "version 19.1.7", "lldb version x", "lldb version 99999999999999999999"} {
		if got, ok := ParseVersion(text); ok {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

// lldb-dap 19 ends on a request it does not know, and 21 leaves it unanswered, so
// that they must never see one.
func TestOnlyKnownRequestsAreSent(t *testing.T) {
	v19, v21, v22, unknown := Version{Major: 19}, Version{Major: 21}, Version{Major: 22}, Version{}
	for _, command := range []string{"initialize", "attach", "setBreakpoints", "evaluate", "disconnect", "disassemble"} {
		if !v19.Knows(command) || !v21.Knows(command) || !v22.Knows(command) {
			t.Errorf("%q is not sent", command)
		}
	}
	for _, command := range []string{"breakpointLocations", "readMemory", "cancel", "terminateThreads", "", "Attach"} {
		if v19.Knows(command) || unknown.Knows(command) {
			t.Errorf("%q is sent to a version that may end on it", command)
		}
		if !v22.Knows(command) {
			t.Errorf("%q is kept from version 22, which answers it", command)
		}
	}
	for command, known := range map[string]bool{"breakpointLocations": true, "readMemory": true, "cancel": true,
		"terminateThreads": false, "gotoTargets": false, "": false} {
		if v21.Knows(command) != known {
			t.Errorf("%q is sent to version 21: %t, want %t", command, !known, known)
		}
	}
}
