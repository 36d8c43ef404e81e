package sourcemap

import (
	"crypto/md5"
	"io"
	"sync"

	"github.com/envoydbg/envoydbg/internal/regular"
)

// Checker compares local files with the checksums in the debug information.
// DWARF 5 line tables may hold an MD5 of each file (section 6.2.4.1,
// DW_LNCT_MD5); clang writes it, gcc does not.
type Checker struct {
	mu   sync.Mutex
	seen map[string]bool
}

// Changed reports, once for each local file, that it differs from what was
// compiled. It reads the file the first time it is asked about it.
func (c *Checker) Changed(e Entry) bool {
	if !e.HasMD5 || e.Local == "" {
		return false
	}
	c.mu.Lock()
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	first := !c.seen[e.Local]
	c.seen[e.Local] = true
	c.mu.Unlock()
	return first && Differs(e)
}

// Differs reports whether the local file has another content than the compiled
// one. A file that cannot be read does not differ.
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
