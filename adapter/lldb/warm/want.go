package warm

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/tidwall/gjson"
	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// Want describes the lldb-dap that a session wants.
type Want struct {
	// Adapter is the session's version: another one may ask for more than this one knows.
	Adapter string
	Program string // the ELF file with the symbols
	LLDBDap string // path
	Folder  string // where lldb-dap starts
	// Hello are the arguments of the client's initialize request, as JSON.
	Hello string
	// InitCommands are the user's. Those that are settings may say where symbols are.
	InitCommands []string
	WorkTree     string
	IndexCache   bool
	// Environment are the variables that LLDB obeys, see Obeyed.
	Environment []string

	Found
}

// Found is what a session knows of its program later than what it wants.
type Found struct {
	Version lldb.Version
	// DebugDir is where .dwo files are, and SymbolFile the file with the debug
	// information; "" for none and for the program itself.
	DebugDir, SymbolFile string
}

// fits reports whether what was warmed for one is right for the other. What a session finds
// follows from the rest.
func (w Want) fits(other Want) bool {
	return w.Adapter == other.Adapter && w.Program == other.Program && w.LLDBDap == other.LLDBDap && w.Folder == other.Folder && w.WorkTree == other.WorkTree &&
		w.IndexCache == other.IndexCache && slices.Equal(w.InitCommands, other.InitCommands) &&
		slices.Equal(w.Environment, other.Environment) && (w.Version.TakesConnections() || greets(w.Hello, other.Hello))
}

// greets reports whether an lldb-dap 19 that was greeted in one way is right for who would greet
// it in the other. It reads two of the arguments (tools/lldb-dap, request_initialize): one says
// whether ~/.lldbinit is read, and with the other LLDB has one command more.
func greets(one, other string) bool {
	const init, command = "sourceInitFile", "supportsStartDebuggingRequest"
	has := func(hello, name string, otherwise bool) bool {
		if v := gjson.Get(hello, name); v.IsBool() {
			return v.Bool()
		}
		return otherwise
	}
	return has(one, init, true) == has(other, init, true) && (has(one, command, false) || !has(other, command, false))
}

// Obeyed are those variables of an environment that LLDB obeys, or the libraries in it, sorted.
// What a session sets for LLDB anew is none of them ([Environment]), nor is PATH: sessions name
// their programs by their paths.
func Obeyed(environment []string) (obeyed []string) {
	names := map[string]string{} // the last one counts
	for _, e := range environment {
		name, value, _ := strings.Cut(e, "=")
		switch name {
		case "HOME", "XDG_CACHE_HOME", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHOME", "PYTHONPATH":
			names[name] = value
		default:
			if strings.HasPrefix(name, "LLDB") {
				names[name] = value
			}
		}
	}
	for name, value := range names {
		obeyed = append(obeyed, name+"="+value)
	}
	slices.Sort(obeyed)
	return obeyed
}

// files are those on which the symbols depend.
func (w Want) files() []string {
	files := []string{w.Program, w.Program + ".dwp"}
	if w.SymbolFile != "" && w.SymbolFile != w.Program {
		files = append(files, w.SymbolFile, w.SymbolFile+".dwp")
	}
	return files
}

// look is what the files of a Want are now.
type look struct {
	identity string // changes when what LLDB would read does
	size     int64  // of all
	// writing: somebody writes one of them, or it is no ELF file yet; else it is finished.
	writing bool
}

// look reads what the files are. It may hang with their file system.
func (w Want) look() (l look) {
	var parts []string
	for _, file := range append(w.files(), w.LLDBDap, lldb.InitFile()) {
		st, err := os.Stat(file)
		if err != nil || !st.Mode().IsRegular() {
			parts = append(parts, "none")
			continue
		}
		sys, _ := st.Sys().(*syscall.Stat_t)
		parts = append(parts, fmt.Sprint(sys.Dev, sys.Ino, st.Size(), st.ModTime().UnixNano()))
	}
	for _, file := range w.files() {
		if st, err := os.Stat(file); err == nil {
			l.size += st.Size()
			l.writing = l.writing || written(file)
		}
	}
	elf, err := elfinfo.Read(w.Program)
	l.writing = l.writing || err != nil
	l.identity = strings.Join(append(parts, elf.BuildID), "\n")
	return l
}

// written reports whether a process has a file open for writing, or mapped. The kernel says
// so to who asks for a lease (fcntl(2)), which only the owner may; of others' files, and
// where a file system has no leases, it is not known.
func written(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	}
	return err == unix.EAGAIN
}

// commands are those by which LLDB reads the symbols. Of the user's, only settings are
// carried out twice: ahead, and by the session.
func (w Want) commands(size int64) []string {
	commands := []string{"settings set auto-confirm true"}
	if w.IndexCache {
		cache, _ := w.Version.IndexCache(size) // the session says why there is none
		commands = append(commands, cache...)
	}
	if w.DebugDir != "" {
		commands = append(commands, "settings append target.debug-file-search-paths "+lldb.Quote(w.DebugDir))
	}
	for _, c := range w.InitCommands {
		// "!" would end it all where the session goes on.
		if c = strings.TrimLeft(c, "?! "); strings.HasPrefix(c, "settings ") {
			commands = append(commands, c)
		}
	}
	symbolFile := cmp.Or(w.SymbolFile, w.Program)
	commands = append(commands, "settings set target.preload-symbols true", "target create --no-dependents "+lldb.Quote(w.Program))
	commands = append(commands, w.Version.LinkPackage(w.Program, symbolFile, lldb.DebugDirs(slices.Concat(lldb.InitCommands(), w.InitCommands), w.Folder)...)...)
	return append(commands,
		// A cache has the index and not the debug information's units, which LLDB reads
		// when it needs the first: 1 s of a processor with 5,000 of them.
		"image lookup --verbose --name main",
		"target delete")
}
