package sourcemap

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
)

// program compiles a small one, with a build-id.
func program(t *testing.T, text string) (elf, buildID string) {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "a.c"), text)
	elf = filepath.Join(dir, "program")
	if out, err := exec.Command("gcc", "-g", "-Wl,--build-id=sha1", "-o", elf, filepath.Join(dir, "a.c")).CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	info, err := elfinfo.Read(elf)
	if err != nil || info.BuildID == "" {
		t.Fatalf("%+v %v", info, err)
	}
	return elf, info.BuildID
}

func TestTheFilesOfABuildAreReadOnce(t *testing.T) {
	elf, id := program(t, "int main(void) { return 0; }\n")
	cache := NewCache(filepath.Join(t.TempDir(), "cache"))
	first, err := Load(Config{ELF: elf, WorkTree: filepath.Dir(elf), Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(cache.dir, cacheFormat+"-"+id+".files")); err != nil {
		t.Fatal(err)
	}
	// The same build without its line tables is known all the same.
	if out, err := exec.Command("strip", elf).CombinedOutput(); err != nil {
		t.Fatalf("strip: %v\n%s", err, out)
	}
	again, err := Load(Config{ELF: elf, WorkTree: filepath.Dir(elf), Cache: cache})
	if err != nil || len(again.Entries) != len(first.Entries) || len(again.Entries) == 0 {
		t.Errorf("%d files, then %d, %v", len(first.Entries), len(again.Entries), err)
	}
	if _, err := Load(Config{ELF: elf, WorkTree: filepath.Dir(elf)}); err == nil {
		t.Error("without the cache a stripped program has line tables")
	}
}

func TestTheCacheStaysWithinItsBound(t *testing.T) {
	dir := t.TempDir()
	old, newer := filepath.Join(dir, "v1-old.files"), filepath.Join(dir, "v1-newer.files")
	for i, name := range []string{old, newer} {
		put(t, name, "")
		if err := os.Truncate(name, cacheBytes*3/4); err != nil {
			t.Fatal(err)
		}
		used := time.Now().Add(time.Duration(i-2) * time.Hour)
		if err := os.Chtimes(name, used, used); err != nil {
			t.Fatal(err)
		}
	}
	elf, id := program(t, "int main(void) { return 1; }\n")
	if _, err := Load(Config{ELF: elf, WorkTree: filepath.Dir(elf), Cache: NewCache(dir)}); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	kept := strings.Join(names, " ")
	if strings.Contains(kept, "v1-old") || !strings.Contains(kept, "v1-newer") || !strings.Contains(kept, id) {
		t.Errorf("kept: %s", kept)
	}
}

func TestADamagedCacheIsDoneWithout(t *testing.T) {
	elf, id := program(t, "int main(void) { return 2; }\n")
	dir := t.TempDir()
	put(t, filepath.Join(dir, cacheFormat+"-"+id+".files"), "no gob")
	m, err := Load(Config{ELF: elf, WorkTree: filepath.Dir(elf), Cache: NewCache(dir)})
	if err != nil || len(m.Entries) == 0 {
		t.Errorf("%v %v", m, err)
	}
}
