package sourcemap

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// What the times of files tell, where there is no checksum. Many things set them besides
// editing and building, so each rule here is against a kind of false alarm.

// slack is for file systems and copies that round times: Bazel rounds those of what it
// copies out of a sandbox to seconds, FAT all to two.
const slack = 2 * time.Second

// firstBuild is before every real build. Archives and reproducible builds set times
// that say nothing: 1970, 1980, 2000.
var firstBuild = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

// builtAt is the end of the build, by the program's files: the earliest of their
// times, since a copy or a file of its debug information comes later. Zero if they do not
// tell.
func builtAt(files ...string) (built time.Time) {
	for _, name := range files {
		st, err := os.Stat(name)
		if err == nil && st.ModTime().After(firstBuild) && (built.IsZero() || st.ModTime().Before(built)) {
			built = st.ModTime()
		}
	}
	return built
}

// savedAfterBuild reports that the local file of an entry was saved after the build, where
// that means something.
func (m *Map) savedAfterBuild(e Entry) (Change, bool) {
	saved, later := m.savedLater(e)
	if !later || !m.timesTell() || committed(realPath(e.Local), m.built) {
		return Change{}, false
	}
	return Change{Saved: saved, Built: m.built}, true
}

func (m *Map) savedLater(e Entry) (saved time.Time, later bool) {
	if m.built.IsZero() || !m.edited(e) {
		return time.Time{}, false
	}
	st, err := os.Stat(e.Local)
	if err != nil {
		return time.Time{}, false
	}
	return st.ModTime(), st.ModTime().After(m.built.Add(slack))
}

// edited reports whether an entry is a file that people edit. What is in an output base
// is Bazel's: it generates and fetches files again without a change, and does not
// then link the program again. Below /usr are system headers.
func (m *Map) edited(e Entry) bool {
	if e.Local == "" {
		return false
	}
	real := realPath(e.Local)
	if _, system := cutFolder(real, "/usr"); system {
		return false
	}
	for _, t := range m.Trees {
		if t.OutputBase == "" {
			continue
		}
		if _, output := cutFolder(real, realPath(t.OutputBase)); output {
			return false
		}
	}
	return true
}

// few is how many files are edited between two builds even where a program has no more.
const few = 3

// timesTell reports whether the times tell edited files from others. Where most files are
// later than the program, they were all copied, unpacked or checked out after it
// was built, or it was built elsewhere.
func (m *Map) timesTell() bool {
	m.tell.Do(func() {
		all, later := 0, 0
		for _, e := range m.Entries {
			if !m.edited(e) {
				continue
			}
			all++
			if _, is := m.savedLater(e); is {
				later++
			}
		}
		m.told = later <= few || 2*later <= all
	})
	return m.told
}

// gitTime bounds a question to Git.
const gitTime = 5 * time.Second

// committed reports whether a file is as it was in the commit that was checked out at a
// time, or in the first one after it: Git sets the time of a file when another branch is
// checked out and when this one is again. False where there is no Git or no such commit.
func committed(file string, at time.Time) bool {
	dir, name := filepath.Split(file)
	then := git(dir, "rev-parse", "--verify", "--quiet", fmt.Sprintf("HEAD@{%d}:./%s", at.Unix(), name))
	return then != "" && then == git(dir, "hash-object", "--", name)
}

func git(dir string, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), gitTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return string(bytes.TrimSpace(out))
}
