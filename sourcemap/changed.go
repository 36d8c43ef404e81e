package sourcemap

import (
	"crypto/md5"
	"io"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/internal/regular"
)

// Change says how it is known that a local file is not what was compiled.
type Change struct {
	// Saved and Built are the file's time and the end of the build, where only these
	// tell, and it is likely but not certain. With a checksum both are zero.
	Saved, Built time.Time
}

// Checker tells of local files that are not what was compiled, each once.
type Checker struct {
	Map *Map

	mu   sync.Mutex
	seen map[string]bool
}

// Changed compares a local file with what was compiled, the first time it is asked
// about it; it reads the file. DWARF 5 line tables may hold an MD5 of each file (section
// 6.2.4.1, DW_LNCT_MD5), which decides. clang writes it, gcc 12 does not. Without one the
// times do, as far as they tell something (times.go).
func (c *Checker) Changed(e Entry) (Change, bool) {
	if e.Local == "" {
		return Change{}, false
	}
	c.mu.Lock()
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	first := !c.seen[e.Local]
	c.seen[e.Local] = true
	c.mu.Unlock()
	switch {
	case !first:
		return Change{}, false
	case e.HasMD5:
		return Change{}, Differs(e)
	}
	return c.Map.SavedLater(e)
}

// Differs reports whether the local file has another content than the compiled
// one, by their checksums. A file that cannot be read does not differ.
func Differs(e Entry) bool {
	f, err := regular.Open(e.Local)
	if err != nil {
		return false
	}
	defer f.Close()
	h := md5.New()
	if _, err := io.Copy(h, f); err != nil {
		return false
	}
	return [md5.Size]byte(h.Sum(nil)) != e.MD5
}
