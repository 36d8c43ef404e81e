package sourcemap

import (
	"crypto/md5"
	"io"
	"time"

	"github.com/envoydbg/envoydbg/internal/regular"
)

// Change says how it is known that a local file is not what was compiled.
type Change struct {
	// Saved and Built are the file's time and the end of the build, where only these
	// tell, and it is likely but not certain. With a checksum both are zero.
	Saved, Built time.Time
}

// Changed compares the local file of an entry with what was compiled; it reads the file.
// DWARF 5 line tables may hold an MD5 of each file (section 6.2.4.1, DW_LNCT_MD5), which
// decides. clang writes it, gcc 12 does not. Without one the times do, as far as they
// tell something (times.go).
func (m *Map) Changed(e Entry) (Change, bool) {
	if e.Local == "" {
		return Change{}, false
	}
	// Another path of the same file may have the checksum.
	for _, i := range m.byLocal[realPath(e.Local)] {
		if same := m.Entries[i]; same.HasMD5 {
			return Change{}, differs(same)
		}
	}
	return m.savedAfterBuild(e)
}

// differs reports whether the local file has another content than the compiled
// one, by their checksums. A file that cannot be read does not differ.
func differs(e Entry) bool {
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
