package lldb

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheIndexCacheIsOfOneVersionAndBounded(t *testing.T) {
	base := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", base)
	dir := filepath.Join(base, "envoydbg/lldb-index/19")
	commands, why := Version{Major: 19}.IndexCache(1)
	said := strings.Join(commands, "\n")
	if why != "" || !strings.Contains(said, `cache-path "`+dir+`"`) || !strings.Contains(said, "max-byte-size 4294967296") || !strings.HasSuffix(said, "enable-lldb-index-cache true") {
		t.Errorf("got %q, %q", said, why)
	}
	for name, content := range map[string]string{"llvmcache-a": "1234", "llvmcache-b": "12", "llvmcache.timestamp": "123"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if files, bytes := (Version{Major: 19}).IndexCacheSize(); files != 2 || bytes != 6 {
		t.Errorf("%d files of %d bytes, want 2 of 6", files, bytes)
	}
	if files, bytes := (Version{Major: 22}).IndexCacheSize(); files != 0 || bytes != 0 {
		t.Errorf("another version has %d files of %d bytes", files, bytes)
	}
}

// LLDB aborts when it cannot write what it has begun to.
func TestThereIsNoIndexCacheWithoutRoom(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if commands, why := (Version{Major: 22}).IndexCache(1 << 60); commands != nil || !strings.Contains(why, "MB are free") {
		t.Errorf("got %q, %q", commands, why)
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", blocked)
	if commands, why := (Version{Major: 22}).IndexCache(1); commands != nil || why == "" {
		t.Errorf("got %q, %q", commands, why)
	}
}

func TestAQuietAttachLeavesAloneWhatTheUserHasSet(t *testing.T) {
	nothing := func(string) bool { return false }
	if before, after := (Version{Major: 19}).QuietAttach(nothing); before != nil || after != nil {
		t.Errorf("19 prints nothing, and gets %v, %v", before, after)
	}
	before, after := Version{Major: 22}.QuietAttach(func(s string) bool { return s == "stop-line-count-before" })
	if len(before) != 2 || !slices.Equal(after, []string{"?settings clear stop-line-count-after", "?settings clear stop-disassembly-display"}) {
		t.Errorf("got %v, %v", before, after)
	}
}
