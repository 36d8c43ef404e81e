package sourcemap

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long the folders must be quiet before they are looked at again:
// a build writes an executable in many pieces. steady bounds it, for folders that
// never are.
const (
	settle = 150 * time.Millisecond
	steady = 700 * time.Millisecond
)

// Watch calls changed with a new map whenever the executable or the places of
// its sources have changed: a rebuild, `bazel clean`, another compilation mode,
// links that go and come back. It returns when ctx ends, or with an error when
// nothing can be watched. While the executable is missing the last map stays.
//
// Folders are watched and not files, because a build replaces files.
func Watch(ctx context.Context, cfg Config, changed func(*Map)) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching for rebuilds: %w", err)
	}
	defer w.Close()
	if cfg.WorkTree, err = cfg.workTree(); err != nil {
		return err
	}
	watched := map[string]bool{}
	last := signature(cfg)
	rewatch(w, watched, folders(cfg))

	var timer <-chan time.Time
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-w.Events:
			if !ok {
				return nil
			}
			now := time.Now()
			if timer == nil {
				since = now
			}
			if wait := min(settle, steady-now.Sub(since)); wait > 0 {
				timer = time.After(wait)
			}
		case _, ok := <-w.Errors:
			if !ok {
				return nil
			}
			// Events were lost: look.
			timer = time.After(0)
		case <-timer:
			timer = nil
			// The folders may be others now; watch them before looking, so
			// that what comes in between is not missed.
			rewatch(w, watched, folders(cfg))
			now := signature(cfg)
			if now == last || strings.HasPrefix(now, missing) {
				continue
			}
			m, err := Load(cfg)
			if err != nil {
				continue // half written, or damaged: its end is another event
			}
			last = now
			changed(m)
		}
	}
}

// missing begins the signature of an executable that is not there.
const missing = "missing"

// signature changes when the map may.
func signature(cfg Config) string {
	real := realPath(cfg.ELF)
	st, err := os.Stat(real)
	if err != nil {
		return missing
	}
	parts := []string{real, fmt.Sprint(st.ModTime().UnixNano(), st.Size())}
	for _, link := range links(cfg.WorkTree) {
		to, _ := os.Readlink(link)
		_, err := os.Stat(link)
		parts = append(parts, to, fmt.Sprint(err == nil))
	}
	return strings.Join(parts, "\x00")
}

// links are Bazel's links in a work tree.
func links(tree string) []string {
	var out []string
	for _, name := range []string{"bazel-out", "bazel-bin", "bazel-" + filepath.Base(tree)} {
		out = append(out, filepath.Join(tree, name))
	}
	return out
}

// folders are those whose entries decide the signature: the work tree, and every
// folder on the executable's path, as written and as it really is. Where one is
// missing, the nearest that exists stands for it.
func folders(cfg Config) []string {
	out := []string{cfg.WorkTree}
	if st, err := os.Stat(filepath.Join(cfg.WorkTree, "bazel-out")); err == nil && st.IsDir() {
		out = append(out, realPath(filepath.Join(cfg.WorkTree, "bazel-out")))
	}
	for dir := filepath.Dir(cfg.ELF); ; dir = filepath.Dir(dir) {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			out = append(out, real)
			if dir == real {
				break // no link from here up
			}
		}
		if dir == filepath.Dir(dir) || dir == cfg.WorkTree {
			break
		}
	}
	return out
}

// rewatch makes the watched folders those that are wanted.
func rewatch(w *fsnotify.Watcher, watched map[string]bool, want []string) {
	wanted := map[string]bool{}
	for _, dir := range want {
		wanted[dir] = true
		// Adding again is harmless, and needed where a folder was replaced by
		// another of its name.
		if w.Add(dir) == nil {
			watched[dir] = true
		}
	}
	for dir := range watched {
		if !wanted[dir] {
			_ = w.Remove(dir)
			delete(watched, dir)
		}
	}
}
