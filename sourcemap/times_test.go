package sourcemap

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/sourcemap/bazel"
)

// tenAClock is when the programs of these tests were built.
var tenAClock = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

const (
	before = -time.Hour
	after  = time.Hour
)

// set gives files a time, relative to the build.
func set(t *testing.T, when time.Duration, files ...string) {
	t.Helper()
	for _, f := range files {
		if err := os.Chtimes(f, tenAClock.Add(when), tenAClock.Add(when)); err != nil {
			t.Fatal(err)
		}
	}
}

// ofFiles builds a program of n sources, a0.c and so on, all saved before.
func ofFiles(t *testing.T, dir string, n int) (elf string, sources []string) {
	t.Helper()
	texts := map[string]string{"main.c": "int main(void) { return 0; }\n"}
	for i := range n - 1 {
		texts[fmt.Sprintf("a%d.c", i)] = fmt.Sprintf("int a%d(void) { return %d; }\n", i, i)
	}
	elf = compile(t, dir, texts)
	for name := range texts {
		sources = append(sources, filepath.Join(dir, name))
	}
	slices.Sort(sources)
	set(t, before, sources...)
	set(t, 0, elf)
	return elf, sources
}

// told are the files that have changed by their times.
func told(t *testing.T, m *Map) (names []string) {
	t.Helper()
	for _, e := range m.Entries {
		if change, changed := m.Changed(e); changed {
			names = append(names, filepath.Base(e.Local))
			if e.HasMD5 || change.Built.IsZero() {
				t.Errorf("%s: told by %+v", e.Local, change)
			}
		}
	}
	return names
}

func expect(t *testing.T, what string, m *Map, want ...string) {
	t.Helper()
	if got := told(t, m); !slices.Equal(got, want) {
		t.Errorf("%s: told of %v, want %v", what, got, want)
	}
}

// gcc writes no checksums.
func TestAFileThatWasSavedAfterTheBuildIsTold(t *testing.T) {
	elf, sources := ofFiles(t, t.TempDir(), 5)
	expect(t, "nothing edited", load(t, Config{ELF: elf}))
	set(t, slack, sources[0])
	expect(t, "a rounded time", load(t, Config{ELF: elf}))
	set(t, after, sources[0])
	m := load(t, Config{ELF: elf})
	expect(t, "one edited", m, "a0.c")
	change, _ := m.Changed(m.Entries[slices.IndexFunc(m.Entries, func(e Entry) bool { return e.Local == sources[0] })])
	if !change.Saved.Equal(tenAClock.Add(after)) || !change.Built.Equal(tenAClock) {
		t.Errorf("the evidence is %+v", change)
	}

	small, sources := ofFiles(t, t.TempDir(), 1)
	set(t, after, sources...)
	expect(t, "the only file", load(t, Config{ELF: small}), "main.c")
}

// A copy of the program, or its debug file, is later than the build.
func TestTheBuildEndedWithTheEarliestFile(t *testing.T) {
	dir := t.TempDir()
	elf, sources := ofFiles(t, dir, 2)
	if out, err := exec.Command("sh", "-c", "cd "+dir+" && objcopy --only-keep-debug program program.debug && strip program -o stripped && "+
		"objcopy --add-gnu-debuglink=program.debug stripped").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	stripped := filepath.Join(dir, "stripped")
	set(t, time.Minute, sources[0])
	set(t, 0, stripped)
	set(t, 2*time.Minute, elf+".debug")
	expect(t, "the debug file is later", load(t, Config{ELF: stripped}), "a0.c")
	set(t, 2*time.Minute, stripped)
	expect(t, "both are later", load(t, Config{ELF: stripped}))
}

// A rebuild changes the file, but not the process that is debugged.
func TestARebuildIsNotTheBuildOfWhatRuns(t *testing.T) {
	elf, sources := ofFiles(t, t.TempDir(), 5)
	set(t, after, sources[0])
	m := load(t, Config{ELF: elf})
	w := follow(t, m)
	w.notices("a rebuild", func() { set(t, 2*after, elf) }, func(now *Map) bool { return now != m })
	expect(t, "after the rebuild", w.last, "a0.c")
}

func TestTimesThatSayNothing(t *testing.T) {
	elf, sources := ofFiles(t, t.TempDir(), 8)
	set(t, after, sources[:4]...)
	expect(t, "half of them edited", load(t, Config{ELF: elf}), "a0.c", "a1.c", "a2.c", "a3.c")
	set(t, after, sources[:5]...)
	expect(t, "most are later: copied, or checked out, after the build", load(t, Config{ELF: elf}))

	for _, fixed := range []time.Time{time.Unix(0, 0), time.Unix(1, 0), time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		elf, _ := ofFiles(t, t.TempDir(), 2)
		if err := os.Chtimes(elf, fixed, fixed); err != nil {
			t.Fatal(err)
		}
		expect(t, "a time that is no build's", load(t, Config{ELF: elf}))
	}
}

// Bazel fetches and generates files again without linking the program again; and
// nobody edits system headers.
func TestOnlyFilesThatPeopleEditAreTold(t *testing.T) {
	tree := place(t, "ws/a.cc", "base/external/dep/d.cc", "base/execroot/main/bazel-out/k8-dbg/bin/gen.cc")
	// All are later.
	m := &Map{built: firstBuild, Index: build(t, compiled(cwd+"a.cc", cwd+"external/dep/d.cc", cwd+"bazel-out/k8-dbg/bin/gen.cc", "/usr/include/stdio.h"),
		Options{Trees: []bazel.Tree{tree}})}
	for _, e := range m.Entries {
		if e.Local == "" {
			t.Fatalf("%s was not found: %v", e.Path, e.Tried)
		}
	}
	expect(t, "all later", m, "a.cc")
}

// Git sets the time of a file when another branch is checked out, and again when this
// one is.
func TestAFileThatGitHasPutBackIsAsItWas(t *testing.T) {
	dir := t.TempDir()
	elf, sources := ofFiles(t, dir, 4)
	edited := sources[0]
	git := func(when time.Duration, args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		date := tenAClock.Add(when).Format(time.RFC3339)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_COMMITTER_DATE="+date, "GIT_AUTHOR_DATE="+date)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git(before, "init", "-q", "-b", "main")
	git(before, "add", "-A")
	git(before, "commit", "-q", "-m", "built")

	git(after, "switch", "-q", "-c", "other")
	put(t, edited, "int a0(void) { return 100; }\n")
	git(after, "commit", "-q", "-a", "-m", "other")
	set(t, after, edited)
	expect(t, "another branch is checked out", load(t, Config{ELF: elf}), "a0.c")

	git(2*after, "switch", "-q", "main")
	set(t, 2*after, edited)
	expect(t, "the branch of the build is checked out again", load(t, Config{ELF: elf}))

	put(t, edited, "int a0(void) { return 200; }\n")
	set(t, 3*after, edited)
	expect(t, "edited", load(t, Config{ELF: elf}), "a0.c")
	git(3*after, "commit", "-q", "-a", "-m", "later")
	expect(t, "edited and committed", load(t, Config{ELF: elf}), "a0.c")
	set(t, 4*after, elf)
	expect(t, "built again", load(t, Config{ELF: elf}))
}
