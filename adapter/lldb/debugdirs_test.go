package lldb

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The words are those that LLDB 19 and 22 have made of the same commands.
func TestTheFoldersOfDebugFilesAreThoseThatLLDBIsTold(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	const name = " target.debug-file-search-paths "
	for _, c := range []struct {
		commands []string
		want     []string
	}{
		{nil, nil},
		{[]string{"settings append" + name + "/a"}, []string{"/a"}},
		{[]string{"?!settings append" + name + "/a", "! settings\tappend \t" + name + "/b "}, []string{"/a", "/b"}},
		{[]string{"settings append" + name + `/a\ b "/c d" '/e f' /g' 'h" "i`}, []string{"/a b", "/c d", "/e f", "/g h i"}},
		{[]string{"settings append" + name + `"/a\"b\\c\d" '/a\"b' /a\"b\'c\\d\e`}, []string{`/a"b\c\d`, `/a\"b`, `/a"b'c\d\e`}},
		{[]string{"settings append" + name + Quote("/a `b` \"c\" \\d 'e'")}, []string{"/a `b` \"c\" \\d 'e'"}},
		{[]string{"settings append" + name + "~ ~/x '~/y' /a/~/z"}, []string{"/home/me", "/home/me/x", "/home/me/y", "/a/~/z"}},
		{[]string{"settings append" + name + "a/b ../c /d/"}, []string{"/work/a/b", "/c", "/d"}},
		{[]string{"settings append" + name + "/a", "settings set" + name + "/b /c"}, []string{"/b", "/c"}},
		{[]string{"settings set --global -e --" + name + "/a"}, []string{"/a"}},
		{[]string{"settings append" + name + "/a", "settings clear" + name}, nil},
		{[]string{"settings append" + name + "/a", "settings insert-before" + name + "0 /b /c", "settings insert-after" + name + "0 /d", "settings replace" + name + "0 /e"},
			[]string{"/a", "/b", "/c", "/d", "/e"}},
		// What says nothing of it.
		{[]string{"settings append" + name + "/a", "settings show" + name, "settings remove" + name + "0", "settings set target.exec-search-paths /b",
			"settings set -f", "settings insert-before" + name, "settings", "", "script print('settings set" + name + "/c')"}, []string{"/a"}},
		{[]string{"settings append" + name + `"/a`}, []string{"/a"}},
		{[]string{"settings append" + name + `/a\`}, []string{`/a\`}},
	} {
		if got, want := DebugDirs(c.commands, "/work"), append(c.want, "/work"); !slices.Equal(got, want) {
			t.Errorf("%q:\ngot  %q\nwant %q", c.commands, got, want)
		}
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := DebugDirs([]string{"settings set" + name + "a"}, ""), []string{filepath.Join(here, "a"), here}; !slices.Equal(got, want) {
		t.Errorf("in this folder: %q, want %q", got, want)
	}
}
