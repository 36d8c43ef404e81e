package program

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// Refusal says what keeps this process from using the file at path: a folder above it
// that it may not pass, else the file's own mode and owner. It is empty when the file
// cannot be looked at for another reason.
func Refusal(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return ""
	}
	for _, dir := range above(abs) {
		if denied(dir) {
			return fmt.Sprintf("the folder %s may not be entered (%s)", dir, owned(dir))
		}
	}
	return owned(abs)
}

// above are the folders that lead to path, the root first.
func above(path string) []string {
	dir := filepath.Dir(path)
	if dir == path {
		return nil
	}
	return append(above(dir), dir)
}

// owned is "mode -rw-r--r--, owner root:root".
func owned(path string) string {
	st, err := os.Stat(path)
	if err != nil {
		return ""
	}
	text := "mode " + st.Mode().String()
	if sys, ok := st.Sys().(*syscall.Stat_t); ok {
		uid, gid := strconv.Itoa(int(sys.Uid)), strconv.Itoa(int(sys.Gid))
		if u, err := user.LookupId(uid); err == nil {
			uid = u.Username
		}
		if g, err := user.LookupGroupId(gid); err == nil {
			gid = g.Name
		}
		text += ", owner " + uid + ":" + gid
	}
	return text
}
