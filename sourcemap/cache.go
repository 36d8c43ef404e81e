package sourcemap

import (
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// cacheBytes bounds the cache; the list of Envoy's 1,112 files takes 0.1 MB.
const cacheBytes = 64 << 20

// cacheFormat is part of the names, so that another version of this program
// does not read what it cannot.
const cacheFormat = "v1"

// Cache keeps the file lists of executables by build-id, and the output bases of
// work trees. It is a folder; whatever cannot be read or written there is done
// without. A nil *Cache keeps nothing.
type Cache struct{ dir string }

// UserCache is the cache in the user's cache folder.
func UserCache() *Cache {
	base, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	return NewCache(filepath.Join(base, "envoydbg", "sourcemap"))
}

// NewCache keeps in dir.
func NewCache(dir string) *Cache { return &Cache{dir} }

// table reads the line tables of an ELF, from the cache where its build-id is
// known there. An ELF without one is always read. A damaged one gives an error
// and the table of what could be read.
func (c *Cache) table(elf string) (*linetable.Table, error) {
	var name string
	if c != nil {
		if info, err := elfinfo.Read(elf); err == nil && info.BuildID != "" {
			name = filepath.Join(c.dir, cacheFormat+"-"+info.BuildID+".files")
			var t linetable.Table
			if readGob(name, &t) == nil {
				now := time.Now()
				_ = os.Chtimes(name, now, now) // used: the last to be removed
				return &t, nil
			}
		}
	}
	t, err := linetable.Read(elf, linetable.Options{})
	if err == nil && name != "" {
		c.write(name, t)
	}
	return t, err
}

// outputBase is what was remembered for a work tree.
func (c *Cache) outputBase(workTree string) string {
	if c == nil {
		return ""
	}
	b, _ := os.ReadFile(c.baseName(workTree))
	return strings.TrimSpace(string(b))
}

// remember keeps the output base of a work tree for when `bazel clean` has
// removed the links to it.
func (c *Cache) remember(workTree, base string) {
	if c == nil || base == "" || c.outputBase(workTree) == base {
		return
	}
	if os.MkdirAll(c.dir, 0o700) == nil {
		_ = replace(c.baseName(workTree), func(f *os.File) error {
			_, err := f.WriteString(base + "\n")
			return err
		})
	}
}

func (c *Cache) baseName(workTree string) string {
	sum := sha256.Sum256([]byte(workTree))
	return filepath.Join(c.dir, cacheFormat+"-"+hex.EncodeToString(sum[:8])+".base")
}

func (c *Cache) write(name string, v any) {
	if os.MkdirAll(c.dir, 0o700) != nil {
		return
	}
	if replace(name, func(f *os.File) error { return gob.NewEncoder(f).Encode(v) }) == nil {
		c.prune()
	}
}

// prune removes what was not used for the longest time until the bound holds.
func (c *Cache) prune() {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	var files []os.FileInfo
	var total int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files = append(files, info)
			total += info.Size()
		}
	}
	sort.Slice(files, func(i, j int) bool { return files[i].ModTime().Before(files[j].ModTime()) })
	for _, f := range files {
		if total <= cacheBytes {
			return
		}
		if os.Remove(filepath.Join(c.dir, f.Name())) == nil {
			total -= f.Size()
		}
	}
}

func readGob(name string, v any) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return gob.NewDecoder(f).Decode(v)
}

// replace writes a file that others see whole or not at all.
func replace(name string, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-")
	if err != nil {
		return err
	}
	err = write(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
