package lldb

import "strings"

// Quote quotes an argument for LLDB's command line: within double quotes it takes a
// backslash before '"', '\' and '`' literally.
func Quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`").Replace(s) + `"`
}

// Lazy are the commands by which LLDB reads a program's symbols when it needs them, and
// not before it waits for Envoy: of a program of 1 GB they take it some 10 s.
func Lazy() []string { return []string{"?settings set target.preload-symbols false"} }

// QuietAttach are the commands that keep the attach from printing source lines, and those
// that undo it. LLDB 22 prints where it has stopped, in the loader, and for the source
// lines looks up main in all names of the program. They go back to LLDB's defaults; so it is nothing for a user who has said
// something of these settings.
func (v Version) QuietAttach(mentioned func(setting string) bool) (before, after []string) {
	if v.Major < 20 { // 19 prints nothing
		return nil, nil
	}
	for _, s := range []struct{ name, value string }{{"stop-line-count-before", "0"}, {"stop-line-count-after", "0"}, {"stop-disassembly-display", "never"}} {
		if !mentioned(s.name) {
			before = append(before, "?settings set "+s.name+" "+s.value)
			after = append(after, "?settings clear "+s.name)
		}
	}
	return before, after
}
