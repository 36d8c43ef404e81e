package fault

import (
	"strings"
	"syscall"
)

// resource is something that a machine runs out of.
type resource struct {
	name string
	do   string
	// errno's text says so, and so do words, in lower case: what programs say that
	// meet the errno.
	errno syscall.Errno
	words []string
}

// watches is for inotify, whose limits come as the errors of disks and open files.
var watches = resource{name: "inotify watches", do: "Raise the limit, sysctl fs.inotify.max_user_watches and fs.inotify.max_user_instances."}

var resources = []resource{
	{name: "disk space or inodes", errno: syscall.ENOSPC,
		do: `Free some there ("df" and "df -i" show what is left), or set TMPDIR to a folder on another disk.`},
	{name: "disk quota", errno: syscall.EDQUOT,
		do: `Free some there ("quota" shows what is left), or set TMPDIR to a folder on another disk.`},
	{name: "processes and threads", errno: syscall.EAGAIN,
		words: []string{"failed to create new os thread", "failed to launch host thread"}, // Go, LLDB
		do:    `End some, or raise the limit: "ulimit -u" for the user, pids.max of the cgroup in a container.`},
	{name: "open files of a process", errno: syscall.EMFILE, do: `Raise the limit, "ulimit -n".`},
	{name: "open files", errno: syscall.ENFILE, do: "Raise the limit, sysctl fs.file-max."},
	{name: "memory", errno: syscall.ENOMEM, words: []string{"std::bad_alloc", "out of memory"}, // C++, Go and LLVM
		do: `Free some, or raise the limit: "ulimit -v" for the process, memory.max of the cgroup in a container.`},
}

// in says whether a line, in lower case, speaks of the resource.
func (r *resource) in(line string) bool {
	if strings.Contains(line, strings.ToLower(r.errno.Error())) { // C's begin with a capital letter
		return true
	}
	for _, w := range r.words {
		if strings.Contains(line, w) {
			return true
		}
	}
	return false
}

// exhausted returns the fault for a cause, or for something that a program has said,
// when it is that the machine has run out of something; else nil. A program that
// dies of it buries the one line that matters in a dump, and what a helper elsewhere
// reports has become text on the way.
func exhausted(during string, cause error, said ...string) *Fault {
	if cause != nil {
		said = append(said, cause.Error())
	}
	for line := range strings.Lines(strings.Join(said, "\n")) {
		lower := strings.ToLower(line)
		for _, r := range resources {
			if !r.in(lower) {
				continue
			}
			if strings.Contains(lower, "inotify") {
				r = watches
			}
			f := Exhausted(r.name, during, plain(strings.TrimSpace(line)), r.do)
			f.Cause = cause
			return f
		}
	}
	return nil
}
