package sourcemap

import (
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/internal/elffile"
	"github.com/envoydbg/envoydbg/internal/regular"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// cacheBytes bounds the cache; the list of Envoy's 1,112 files takes 0.1 MB.
const cacheBytes = 64 << 20

// cacheFormat is part of the names, so that another version of this program
// does not read what it cannot.
const cacheFormat = "v2"

// Cache keeps the file lists of executables, and the output bases of work trees.
// It is a folder; whatever cannot be read or written there is done without. A nil
// *Cache keeps nothing.
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

// cached is a table with the files it was read from, as they were then.
type cached struct {
	Table *linetable.Table
	Debug [2]stamp // the file with the line tables and its .dwp
}

// table reads the line tables of an ELF, unless they are in the cache: for the
// same build-id, and files of the same size and time. A build-id alone does not
// do, since it can be set by hand, and a .dwp may come later. An ELF without one
// is always read. A damaged one gives an error and the table of what could be
// read. With other debugDirs it is read again: LLDB may not find the file that
// these have led to.
func (c *Cache) table(ctx context.Context, elf string, debugDirs ...string) (*linetable.Table, error) {
	if c == nil {
		return linetable.Read(ctx, elf, debugDirs...)
	}
	name := c.tableName(elf, debugDirs)
	var known cached
	if name != "" && readGob(name, &known) == nil && known.Table != nil && known.Debug == stamps(known.Table.Path) {
		now := time.Now()
		_ = os.Chtimes(name, now, now) // used: the last to be removed
		return known.Table, nil
	}
	t, err := linetable.Read(ctx, elf, debugDirs...)
	// Not if it was written to in the meantime.
	if err == nil && name != "" && name == c.tableName(elf, debugDirs) {
		c.write(name, cached{t, stamps(t.Path)})
	}
	return t, err
}

// tableName is where the table of an ELF is kept, "" for one without a build-id.
func (c *Cache) tableName(elf string, debugDirs []string) string {
	files := stamps(elf)
	f, err := elffile.Open(elf)
	if err != nil {
		return ""
	}
	defer f.Close()
	id, err := f.BuildID()
	if err != nil || id == "" {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %v %q", id, files, debugDirs))
	return filepath.Join(c.dir, cacheFormat+"-"+hex.EncodeToString(sum[:16])+".files")
}

// stamp is what tells a file from one that was there before; zero for none.
type stamp struct{ Size, Time int64 }

// stamps are those of an ELF and of the package of split DWARF beside it.
func stamps(elf string) (out [2]stamp) {
	for i, name := range []string{elf, elf + ".dwp"} {
		if st, err := os.Stat(name); err == nil && st.Mode().IsRegular() {
			out[i] = stamp{st.Size(), st.ModTime().UnixNano()}
		}
	}
	return out
}

// outputBase is what was remembered for a work tree.
func (c *Cache) outputBase(workTree string) string {
	if c == nil || workTree == "" {
		return ""
	}
	f, err := regular.Open(c.baseName(workTree))
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(f)
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
	sum := sha256.Sum256([]byte(realPath(workTree)))
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
	f, err := regular.Open(name)
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
