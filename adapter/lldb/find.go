package lldb

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/internal/program"
)

// Oldest is the oldest major version of LLDB that the adapter drives; 18 and
// older have not been tried, and up to 17 the program was called lldb-vscode.
const Oldest = 19

// newest bounds the search for version-suffixed names (lldb-dap-19, …).
const newest = 40

// FindDAP resolves lldb-dap: the given path or name, else lldb-dap in PATH,
// else the newest lldb-dap-N in PATH.
func FindDAP(wanted string) (string, error) {
	if wanted != "" {
		path, err := program.Look(wanted, os.Getenv("PATH"), "")
		switch {
		case errors.Is(err, fs.ErrPermission):
			return "", fault.NotPermitted("run lldb-dap", wanted, err.Error())
		case err != nil:
			return "", fault.NoLLDBDap(describe(wanted, err))
		}
		return path, nil
	}
	if path, ok := inPath("lldb-dap"); ok {
		return path, nil
	}
	return "", fault.NoLLDBDap("lldb-dap and lldb-dap-N in PATH")
}

// AllDAPs are the lldb-daps in PATH, the one that FindDAP would take first.
func AllDAPs() (all []string) {
	names := []string{"lldb-dap"}
	for n := newest; n >= Oldest; n-- {
		names = append(names, "lldb-dap-"+strconv.Itoa(n))
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			all = append(all, path)
		}
	}
	return all
}

// FindServer resolves lldb-server on this machine: the given path or name, else
// the one in lldb-dap's own folder, else the one of the same version in PATH.
func FindServer(wanted, dap string, v Version) (string, error) {
	if wanted != "" {
		path, err := program.Look(wanted, os.Getenv("PATH"), "")
		switch {
		case errors.Is(err, fs.ErrPermission):
			return "", fault.NotPermitted("run lldb-server", wanted, err.Error())
		case err != nil:
			return "", fault.NoLLDBServer(wanted, describe(wanted, err))
		}
		return path, nil
	}
	if real, err := filepath.EvalSymlinks(dap); err == nil {
		if path, err := exec.LookPath(filepath.Join(filepath.Dir(real), "lldb-server")); err == nil {
			return path, nil
		}
	}
	if path, err := exec.LookPath("lldb-server-" + strconv.Itoa(v.Major)); err == nil {
		return path, nil
	}
	if path, ok := inPath("lldb-server"); ok {
		return path, nil
	}
	return "", fault.NoLLDBServer("lldb-server", "neither beside "+dap+" nor in PATH")
}

// inPath looks up the plain name, then name-N from the newest version down.
func inPath(name string) (string, bool) {
	if path, err := exec.LookPath(name); err == nil {
		return path, true
	}
	for n := newest; n >= Oldest; n-- {
		if path, err := exec.LookPath(name + "-" + strconv.Itoa(n)); err == nil {
			return path, true
		}
	}
	return "", false
}

func describe(wanted string, err error) string {
	if errors.Is(err, syscall.EISDIR) {
		return wanted + ": it is a folder"
	}
	if !strings.Contains(wanted, "/") {
		return wanted + ": not in PATH"
	}
	return wanted + ": no such program"
}

// Version is LLDB's version.
type Version struct {
	Major int
	Text  string // e.g. "19.1.7"
}

var versionPattern = regexp.MustCompile(`lldb version (\d+)((?:\.\d+)*)`)

// ParseVersion reads what LLDB says of itself ("lldb version 19.1.7").
func ParseVersion(s string) (Version, bool) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return Version{}, false
	}
	major, err := strconv.Atoi(m[1])
	return Version{Major: major, Text: m[1] + m[2]}, err == nil
}

// requests19 are the requests that lldb-dap 19.1.7 survived when each was sent
// to it after initialize; it aborts on any other ("terminate called without an
// active exception").
var requests19 = []string{
	"_testGetTargetBreakpoints", "attach", "compileUnits", "completions", "configurationDone", "continue",
	"dataBreakpointInfo", "disassemble", "disconnect", "evaluate", "exceptionInfo", "initialize", "launch",
	"modules", "next", "pause", "restart", "scopes", "setBreakpoints", "setDataBreakpoints",
	"setExceptionBreakpoints", "setFunctionBreakpoints", "setVariable", "source", "stackTrace", "stepIn",
	"stepInTargets", "stepOut", "threads", "variables",
}

// requests21 are those that lldb-dap 21.1.8 answered in the same way; it says
// nothing to any other.
var requests21 = append([]string{
	"breakpointLocations", "cancel", "locations", "readMemory", "setInstructionBreakpoints", "writeMemory",
}, requests19...)

// Knows reports whether lldb-dap of this version may be sent the request. From 22
// on an unknown one is answered with an error; 19 ends, and 21 does not answer. Of
// 20, which has not been tried, it is taken that it is like 21.
func (v Version) Knows(command string) bool {
	switch {
	case v.Major >= 22:
		return true
	case v.Major >= 20:
		return slices.Contains(requests21, command)
	}
	return slices.Contains(requests19, command)
}
