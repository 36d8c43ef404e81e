//go:build linux

package server

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/envoydbg/envoydbg/internal/process"
)

// exe is the path of the program a process runs, without the kernel's mark of a
// removed file; empty when it has ended or must not be read.
func exe(pid int) string {
	s, err := os.Readlink("/proc/" + itoa(pid) + "/exe")
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(s, " (deleted)")
}

// byExeName finds processes by the base name of their program.
func byExeName(base string) ([]int, error) {
	all, err := process.All()
	var pids []int
	for pid := range all {
		if e := exe(pid); e != "" && filepath.Base(e) == base {
			pids = append(pids, pid)
		}
	}
	return pids, err
}
