package lldb

import (
	"os"
	"path/filepath"
)

// LinkPackage are the commands that have LLDB join each unit of a program with its part of the
// package of split debug information (.dwp); none where there is no package. symbolFile is the
// program's separate debug file, or the program; debugDirs is where else LLDB looks for them.
//
// LLDB does so by itself, but with an index from its cache too late: it goes from a name to
// the function in the package at once, and in DWARF 5 the unit in the program tells where the
// function's addresses are. Tried with LLDB 19 and 22: of clang's packages the function, and
// each other one of its unit, has no variables until LLDB ends ("Assertion failed:
// (!m_rnglist_table_done)"); of gcc's a breakpoint gets a second, wrong place, and an expression
// may call a wrong one. DWARF 4 and .dwo files are well. So this must come before anything is
// looked up by name. What it reads, LLDB reads for the first variables otherwise.
func (v Version) LinkPackage(program, symbolFile string, debugDirs ...string) []string {
	var places []string
	for _, file := range []string{program, symbolFile} {
		places = append(places, file)
		for _, dir := range debugDirs {
			places = append(places, filepath.Join(dir, filepath.Base(file)))
		}
	}
	there := false
	for _, place := range places {
		st, err := os.Stat(place + ".dwp")
		there = there || err == nil && st.Mode().IsRegular()
	}
	if !there {
		return nil
	}
	// It lists what cannot be joined, and on the way loads all. That takes an option since
	// some version between 20 and 22, and without it one of 21 may load nothing.
	command := "?target modules dump separate-debug-info --errors-only "
	var commands []string
	if v.Major <= 21 {
		commands = append(commands, command+Quote(program))
	}
	if v.Major >= 21 {
		commands = append(commands, command+"--force-load-all-debug-info "+Quote(program))
	}
	return commands
}
