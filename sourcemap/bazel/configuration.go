package bazel

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// OtherConfigurations are the places of a generated file in the output folders of
// other configurations, best first; all exist as of now or are links. Bazel keeps
// the outputs of each in a folder of its own: k8-dbg, k8-opt, k8-fastbuild, and
// with a hash those of a transition, k8-opt-ST-0123456789ab. A program that was
// built with -c opt elsewhere names k8-opt; here there may be k8-dbg alone. What a
// generator makes seldom depends on it, but may.
func (t Tree) OtherConfigurations(root Root, rest string) []string {
	parts := strings.Split(rest, "/")
	// bazel-out/CONFIGURATION/bin/…, in the sibling layout
	// bazel-out/REPOSITORY/CONFIGURATION/bin/…
	at := slices.IndexFunc(parts, func(p string) bool { return p == "bin" || p == "genfiles" }) - 1
	if parts[0] != "bazel-out" || at != 1 && at != 2 || at+2 == len(parts) {
		return nil
	}
	wanted, tail := parts[at], filepath.Join(parts[at+1:]...)
	var out []string
	for _, outputs := range t.outputs(root) {
		dir := filepath.Join(append([]string{outputs}, parts[:at]...)...)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		var names []string
		for _, e := range entries {
			name := e.Name()
			if _, err := os.Lstat(filepath.Join(dir, name, tail)); err == nil && name != wanted {
				names = append(names, name)
			}
		}
		// By name where they are equally like it.
		slices.SortStableFunc(names, func(a, b string) int { return likeness(b, wanted) - likeness(a, wanted) })
		for _, name := range names {
			out = append(out, filepath.Join(dir, name, tail))
		}
	}
	return out
}

// likeness says how much two names of configurations have in common: whether both
// are for the machine that builds or for the one that runs, before all; whether
// they are of the same transition, or of any; the processor.
func likeness(a, b string) int {
	x, y := parseConfiguration(a), parseConfiguration(b)
	n := 0
	for _, c := range []struct {
		equal  bool
		weight int
	}{
		{x.exec == y.exec, 8},
		{x.transition == y.transition, 4},
		{(x.transition == "") == (y.transition == ""), 2},
		{x.cpu == y.cpu, 1},
	} {
		if c.equal {
			n += c.weight
		}
	}
	return n
}

// configuration is what the name of an output folder says.
type configuration struct {
	cpu, transition string
	exec            bool
}

func parseConfiguration(name string) configuration {
	var c configuration
	name, c.transition, _ = strings.Cut(name, "-ST-")
	c.exec = name == "host" || strings.Contains(name, "-exec")
	c.cpu, _, _ = strings.Cut(name, "-")
	return c
}
