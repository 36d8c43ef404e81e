package lldb

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The index cache is LLDB's own: what it has computed of a program's symbols and debug
// information, so that the next process that debugs the same build reads it. LLDB names
// the files by the build and takes back none of another, so sessions may share them.
const (
	// IndexCacheBytes is how much may be kept, of all programs together. LLDB removes what
	// was used least recently, when a process uses the cache for the first time and not
	// more often than every 20 minutes.
	IndexCacheBytes = 4 << 30
	// IndexCacheDays is how long what nobody uses is kept.
	IndexCacheDays = 14
	// indexCacheRoom is what must be free beyond the program's size: LLDB aborts when it
	// cannot write to the end. A cache takes half of the program's size.
	indexCacheRoom = 1 << 30
)

// IndexCacheDir is where the index cache of this version is: the formats of different
// versions displace each other.
func (v Version) IndexCacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(base, "envoydbg", "lldb-index", strconv.Itoa(v.Major)), nil
}

// IndexCache are the commands that turn the index cache on, for a program of so many
// bytes; none, with the reason, where it cannot be.
func (v Version) IndexCache(program int64) (commands []string, why string) {
	dir, err := v.IndexCacheDir()
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return nil, err.Error()
	}
	if free, ok := freeBytes(dir); ok && free < uint64(program)+indexCacheRoom {
		return nil, fmt.Sprintf("%d MB are free in %s, and %d MB may be needed", free>>20, dir, (program+indexCacheRoom)>>20)
	}
	return []string{
		"?settings set symbols.lldb-index-cache-path " + Quote(dir),
		fmt.Sprintf("?settings set symbols.lldb-index-cache-max-byte-size %d", int64(IndexCacheBytes)),
		fmt.Sprintf("?settings set symbols.lldb-index-cache-expiration-days %d", IndexCacheDays),
		"?settings set symbols.enable-lldb-index-cache true",
	}, ""
}

// IndexCacheSize is how many files the index cache of this version has, and their bytes.
func (v Version) IndexCacheSize() (files int, bytes int64) {
	dir, err := v.IndexCacheDir()
	if err != nil {
		return 0, 0
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), "llvmcache-") {
			files, bytes = files+1, bytes+info.Size()
		}
	}
	return files, bytes
}
