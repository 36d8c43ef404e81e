package sourcemap

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Report is what a person wants to know of a map.
type Report struct {
	ELF      string `json:"elf"`
	BuildID  string `json:"buildId"`
	WorkTree string `json:"workTree"`
	// OutputBase is Bazel's, with how it was found.
	OutputBase     string `json:"outputBase,omitempty"`
	OutputBaseFrom string `json:"outputBaseFrom,omitempty"`
	Files          int    `json:"files"`
	// Mapped counts the files found here, by rule.
	Mapped map[How]int  `json:"mapped"`
	Roots  []RootReport `json:"roots"`
	// OtherConfiguration are generated files of another configuration's build.
	OtherConfiguration []FileReport `json:"otherConfiguration"`
	Guessed            []FileReport `json:"guessed"`
	Changed            []FileReport `json:"changed"`
	// SavedLater are files without a checksum that were saved after the build.
	SavedLater []FileReport `json:"savedLater"`
	Unmapped   []FileReport `json:"unmapped"`
}

// RootReport is one execution root.
type RootReport struct {
	Path  string `json:"path"`
	Kind  string `json:"kind"`
	Files int    `json:"files"`
}

// FileReport is one file worth a word.
type FileReport struct {
	Path  string   `json:"path"`
	Local string   `json:"local,omitempty"`
	Tried []string `json:"tried,omitempty"`
}

// Report makes the report; it compares every local file with what was compiled. step,
// if not nil, is called with the number of files done. The only error is that of
// ctx.
func (m *Map) Report(ctx context.Context, step func(done int)) (Report, error) {
	r := Report{ELF: m.ELF, BuildID: m.Table.BuildID, Files: len(m.Entries), Mapped: map[How]int{},
		Roots: []RootReport{}, OtherConfiguration: []FileReport{},
		Guessed: []FileReport{}, Changed: []FileReport{}, SavedLater: []FileReport{}, Unmapped: []FileReport{}}
	if len(m.Trees) > 0 {
		t := m.Trees[0]
		r.WorkTree, r.OutputBase, r.OutputBaseFrom = t.WorkTree, t.OutputBase, t.From
	}
	roots := map[string]*RootReport{}
	for i, e := range m.Entries {
		if err := ctx.Err(); err != nil {
			return Report{}, err
		}
		if step != nil {
			step(i)
		}
		if e.Root.Kind != "" {
			root := roots[e.Root.Path]
			if root == nil {
				root = &RootReport{Path: e.Root.Path, Kind: string(e.Root.Kind)}
				roots[e.Root.Path] = root
			}
			root.Files++
		}
		switch {
		case e.Local == "":
			r.Unmapped = append(r.Unmapped, FileReport{Path: e.Path, Tried: e.Tried})
			continue
		case e.How == ByOutput:
			r.OtherConfiguration = append(r.OtherConfiguration, FileReport{Path: e.Path, Local: e.Local})
		case e.How == BySuffix:
			r.Guessed = append(r.Guessed, FileReport{Path: e.Path, Local: e.Local})
		}
		r.Mapped[e.How]++
		switch change, changed := m.Changed(e); {
		case changed && change.Built.IsZero():
			r.Changed = append(r.Changed, FileReport{Path: e.Path, Local: e.Local})
		case changed:
			r.SavedLater = append(r.SavedLater, FileReport{Path: e.Path, Local: e.Local})
		}
	}
	for _, root := range roots {
		r.Roots = append(r.Roots, *root)
	}
	sort.Slice(r.Roots, func(i, j int) bool { return r.Roots[i].Path < r.Roots[j].Path })
	return r, nil
}

// LLDB are the commands that come nearest to the map, for use in LLDB without the
// adapter. They go forward only: with several roots LLDB finds breakpoints by
// the first one alone.
func (m *Map) LLDB() []string {
	pairs := m.Forward()
	if len(pairs) == 0 {
		return nil
	}
	var b strings.Builder
	b.WriteString("settings set target.source-map")
	for _, p := range pairs {
		fmt.Fprintf(&b, " %q %q", p.From, p.To)
	}
	return []string{b.String()}
}

// Forward is the map as prefixes, in the order in which the first one that fits
// is right. A prefix cannot say all: a generated link farm, a file found by its
// end, a repository that is a link.
func (m *Map) Forward() []Pair {
	var pairs []Pair
	seen := map[string]bool{}
	for _, e := range m.Entries {
		if e.Root.Path == "" || seen[e.Root.Path] || len(m.Trees) == 0 {
			continue
		}
		seen[e.Root.Path] = true
		for _, p := range m.Trees[0].Prefixes(e.Root) {
			pairs = append(pairs, Pair{p[0], p[1]})
		}
	}
	sort.SliceStable(pairs, func(i, j int) bool { return len(pairs[i].From) > len(pairs[j].From) })
	return append(slices.Clone(m.User), pairs...)
}
