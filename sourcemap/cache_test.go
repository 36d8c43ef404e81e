package sourcemap

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/sourcemap/bazel"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// compile makes a small program of these sources in a folder of its own, with a
// build-id, unless flags say another.
func compile(t *testing.T, dir string, sources map[string]string, flags ...string) (elf string) {
	t.Helper()
	elf = filepath.Join(dir, "program")
	args := append([]string{"-g", "-Wl,--build-id=sha1", "-o", elf}, flags...)
	for name, text := range sources {
		put(t, filepath.Join(dir, name), text)
		args = append(args, filepath.Join(dir, name))
	}
	if out, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return elf
}

// program compiles one source.
func program(t *testing.T, text string, flags ...string) string {
	t.Helper()
	return compile(t, t.TempDir(), map[string]string{"a.c": text}, flags...)
}

func table(t *testing.T, c *Cache, elf string) *linetable.Table {
	t.Helper()
	got, err := c.table(t.Context(), elf)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// names are the base names of a table's files.
func names(t *linetable.Table) (all []string) {
	for _, f := range t.Files {
		all = append(all, filepath.Base(f.Path))
	}
	return all
}

// spoil makes a program unreadable in such a way that it looks the same: with the
// build-id, size and time that it had.
func spoil(t *testing.T, elf string) {
	t.Helper()
	st, err := os.Stat(elf)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(elf)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.ReplaceAll(b, []byte(".debug_line"), []byte(".nobug_line"))
	if err := os.WriteFile(elf, b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(elf, st.ModTime(), st.ModTime()); err != nil {
		t.Fatal(err)
	}
}

func TestTheFilesOfAProgramAreReadOnce(t *testing.T) {
	elf := program(t, "int main(void) { return 0; }\n")
	cache := NewCache(filepath.Join(t.TempDir(), "cache"))
	first := table(t, cache, elf)
	spoil(t, elf)
	if again := table(t, cache, elf); !slices.Equal(names(again), names(first)) || !slices.Contains(names(again), "a.c") {
		t.Errorf("%q, then %q", names(first), names(again))
	}
	for _, c := range []*Cache{nil, NewCache(t.TempDir())} {
		if _, err := c.table(t.Context(), elf); !errors.Is(err, linetable.ErrNoLineTables) {
			t.Errorf("without what was kept: %v", err)
		}
	}
	// Another time of the file is another file.
	now := time.Now().Add(time.Hour)
	if err := os.Chtimes(elf, now, now); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.table(t.Context(), elf); !errors.Is(err, linetable.ErrNoLineTables) {
		t.Errorf("a file that was written to: %v", err)
	}
}

// --build-id=0x… says nothing of the contents.
func TestABuildIDThatStaysIsNoReasonToBelieveInOldFiles(t *testing.T) {
	dir := t.TempDir()
	cache := NewCache(filepath.Join(dir, "cache"))
	fixed := "-Wl,--build-id=0x0123456789abcdef"
	elf := compile(t, dir, map[string]string{"a.c": "int main(void) { return 0; }\n"}, fixed)
	if got := names(table(t, cache, elf)); slices.Contains(got, "b.c") {
		t.Fatalf("%q", got)
	}
	compile(t, dir, map[string]string{"a.c": "int b(void); int main(void) { return b(); }\n", "b.c": "int b(void) { return 1; }\n"}, fixed)
	if got := names(table(t, cache, elf)); !slices.Contains(got, "b.c") {
		t.Errorf("%q, want the new b.c", got)
	}
}

func TestAPackageThatComesLaterIsSeen(t *testing.T) {
	dir := t.TempDir()
	cache := NewCache(filepath.Join(dir, "cache"))
	elf := compile(t, dir, map[string]string{"a.c": "struct S { int x; } s; int main(void) { return s.x; }\n"}, "-gsplit-dwarf", "-fdebug-types-section")
	for range 2 {
		if got := table(t, cache, elf); got.Sources.DWP != "" {
			t.Fatalf("%+v", got.Sources)
		}
	}
	cmd := exec.Command("llvm-dwp-19", "-e", "program", "-o", "program.dwp")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("llvm-dwp: %v\n%s", err, out)
	}
	if got := table(t, cache, elf); got.Sources.DWP != elf+".dwp" {
		t.Errorf("%+v, want the package", got.Sources)
	}
	// And one that is written anew.
	now := time.Now().Add(time.Hour)
	if err := os.Chtimes(elf+".dwp", now, now); err != nil {
		t.Fatal(err)
	}
	spoil(t, elf)
	if _, err := cache.table(t.Context(), elf); !errors.Is(err, linetable.ErrNoLineTables) {
		t.Errorf("another package: %v", err)
	}
}

// The line tables may be in a file of their own, which changes by itself.
func TestADebugFileThatHasChangedIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	cache := NewCache(filepath.Join(dir, "cache"))
	elf := compile(t, dir, map[string]string{"a.c": "int main(void) { return 0; }\n"})
	debug := filepath.Join(dir, "program.debug")
	for _, args := range [][]string{{"--only-keep-debug", elf, debug}, {"--strip-all", "--add-gnu-debuglink=" + debug, elf}} {
		if out, err := exec.Command("objcopy", args...).CombinedOutput(); err != nil {
			t.Fatalf("objcopy: %v\n%s", err, out)
		}
	}
	if got := table(t, cache, elf); got.Path != debug || !slices.Contains(names(got), "a.c") {
		t.Fatalf("%s, %q", got.Path, names(got))
	}
	spoil(t, debug)
	if got := table(t, cache, elf); !slices.Contains(names(got), "a.c") {
		t.Errorf("not kept: %q", names(got))
	}
	now := time.Now().Add(time.Hour)
	if err := os.Chtimes(debug, now, now); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.table(t.Context(), elf); !errors.Is(err, linetable.ErrNoLineTables) {
		t.Errorf("a debug file without line tables: %v", err)
	}
}

// LLDB does not find what is in a folder that it is no longer told.
func TestADebugFileOfOtherFoldersIsNotKept(t *testing.T) {
	dir := t.TempDir()
	cache := NewCache(filepath.Join(dir, "cache"))
	elf := compile(t, dir, map[string]string{"a.c": "int main(void) { return 0; }\n"})
	debugDir := t.TempDir()
	debug := filepath.Join(debugDir, "program.debug")
	for _, args := range [][]string{{"--only-keep-debug", elf, debug}, {"--strip-all", "--add-gnu-debuglink=" + debug, elf}} {
		if out, err := exec.Command("objcopy", args...).CombinedOutput(); err != nil {
			t.Fatalf("objcopy: %v\n%s", err, out)
		}
	}
	if got, err := cache.table(t.Context(), elf, debugDir); err != nil || got.Path != debug {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := cache.table(t.Context(), elf); !errors.Is(err, linetable.ErrNoLineTables) {
		t.Errorf("without the folder: %v", err)
	}
}

func TestAProgramWithoutABuildIDIsNotKept(t *testing.T) {
	elf := program(t, "int main(void) { return 0; }\n", "-Wl,--build-id=none")
	dir := t.TempDir()
	if got := names(table(t, NewCache(dir), elf)); !slices.Contains(got, "a.c") {
		t.Errorf("%q", got)
	}
	if kept := list(t, dir); len(kept) > 0 {
		t.Errorf("kept: %q", kept)
	}
}

// What was used last stays longest, be it old.
func TestTheCacheStaysWithinItsBound(t *testing.T) {
	dir := t.TempDir()
	cache := NewCache(dir)
	used := program(t, "int main(void) { return 1; }\n")
	table(t, cache, used)
	usedName := list(t, dir)[0]
	ago := func(name string, hours int) {
		when := time.Now().Add(time.Duration(-hours) * time.Hour)
		if err := os.Chtimes(filepath.Join(dir, name), when, when); err != nil {
			t.Fatal(err)
		}
	}
	for name, size := range map[string]int64{"v1-older.files": cacheBytes / 4, "v1-old.files": cacheBytes / 4, "v1-newer.files": cacheBytes * 3 / 4} {
		put(t, filepath.Join(dir, name), "")
		if err := os.Truncate(filepath.Join(dir, name), size); err != nil {
			t.Fatal(err)
		}
	}
	// Whatever else is there is not the cache's.
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	ago("folder", 4)
	ago("v1-older.files", 3)
	ago(usedName, 3)
	ago("v1-old.files", 2)
	ago("v1-newer.files", 1)
	table(t, cache, used) // it is the newest by now
	table(t, cache, program(t, "int main(void) { return 2; }\n"))
	kept := list(t, dir)
	if len(kept) != 4 || slices.Contains(kept, "v1-old.files") || slices.Contains(kept, "v1-older.files") || !slices.Contains(kept, "folder") || !slices.Contains(kept, "v1-newer.files") || !slices.Contains(kept, usedName) {
		t.Errorf("kept: %q, used: %s", kept, usedName)
	}
	// At the bound nothing goes.
	total := int64(0)
	for _, name := range kept {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if st.Mode().IsRegular() {
			total += st.Size()
		}
	}
	put(t, filepath.Join(dir, "v1-last.files"), "")
	if err := os.Truncate(filepath.Join(dir, "v1-last.files"), cacheBytes-total); err != nil {
		t.Fatal(err)
	}
	if cache.prune(); len(list(t, dir)) != 5 {
		t.Errorf("at the bound: %q", list(t, dir))
	}
}

// A file is there whole or not at all, and nothing is left of the attempt.
func TestWhatCannotBeWrittenLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "name")
	full := errors.New("disk full")
	if err := replace(name, func(f *os.File) error { _, _ = f.WriteString("half"); return full }); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	if err := replace(name, func(f *os.File) error { return f.Close() }); err == nil {
		t.Error("a file that could not be closed was taken")
	}
	if left := list(t, dir); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if err := os.Mkdir(name, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replace(name, func(*os.File) error { return nil }); err == nil || len(list(t, dir)) != 1 {
		t.Errorf("in place of a folder: %v, left: %q", err, list(t, dir))
	}
}

func list(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// Whatever lies there: text, nothing, a FIFO that nobody writes to.
func TestADamagedCacheIsDoneWithout(t *testing.T) {
	elf := program(t, "int main(void) { return 2; }\n")
	dir := t.TempDir()
	cache := NewCache(dir)
	want := names(table(t, cache, elf))
	name := filepath.Join(dir, list(t, dir)[0])
	for what, damage := range map[string]func(){
		"no gob": func() { put(t, name, "no gob") },
		"empty":  func() { put(t, name, "") },
		"a FIFO": func() {
			if err := errors.Join(os.Remove(name), syscall.Mkfifo(name, 0o600)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		damage()
		if got := names(table(t, cache, elf)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
		// And is written anew.
		var again cached
		if err := readGob(name, &again); err != nil || !slices.Equal(names(again.Table), want) {
			t.Errorf("%s: not written anew: %v", what, err)
		}
	}
	// No folder can be made below a file.
	if got := names(table(t, NewCache(filepath.Join(elf, "cache")), elf)); !slices.Equal(got, want) {
		t.Errorf("a cache that cannot be: %q", got)
	}
}

// remembering is a cache that knows the tree's output base.
func remembering(t *testing.T, tree bazel.Tree) *Cache {
	t.Helper()
	c := NewCache(t.TempDir())
	c.remember(tree.WorkTree, tree.OutputBase)
	if got := c.outputBase(tree.WorkTree); got != tree.OutputBase {
		t.Fatalf("remembered %q, want %q", got, tree.OutputBase)
	}
	return c
}

func TestAnOutputBaseIsRememberedForItsWorkTree(t *testing.T) {
	tree, other := place(t, "ws/a.cc"), place(t, "ws/a.cc")
	alias := filepath.Join(t.TempDir(), "alias")
	link(t, tree.WorkTree, alias)
	c := remembering(t, tree)
	if got := c.outputBase(alias); got != tree.OutputBase {
		t.Errorf("by a link: %q", got)
	}
	if got := c.outputBase(other.WorkTree); got != "" {
		t.Errorf("another tree: %q", got)
	}
	c.remember(tree.WorkTree, "/new/base")
	c.remember(tree.WorkTree, "")
	if got := c.outputBase(tree.WorkTree); got != "/new/base" || len(list(t, c.dir)) != 1 {
		t.Errorf("%q, in %q", got, list(t, c.dir))
	}
	var none *Cache
	none.remember(tree.WorkTree, "/base")
	if got := none.outputBase(tree.WorkTree); got != "" {
		t.Errorf("no cache: %q", got)
	}
}
