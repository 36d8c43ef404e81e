package sourcemap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
// its sources have changed since m was made: a rebuild, `bazel clean`, another
// compilation mode, links that go and come back. The line tables stay those of m:
// a rebuild does not change what runs. While the executable is missing the last
// map stays.
//
// It returns nil when ctx ends, and an error as soon as a folder cannot be
// watched: nothing is half watched without a word. Folders are watched and not
// files, because a build replaces files.
func (m *Map) Watch(ctx context.Context, changed func(*Map)) error {
	cfg := m.cfg
	cfg.Table = m.Table
	_, err := abandonable(ctx, func() (struct{}, error) { return struct{}{}, cfg.watch(ctx, m.state, changed) })
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (cfg Config) watch(ctx context.Context, last string, changed func(*Map)) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching for rebuilds: %w", err)
	}
	defer w.Close()
	watched := map[string]bool{}
	if err := rewatch(w, watched, folders(cfg)); err != nil {
		return err
	}
	// Something may have changed since the map was made.
	timer, since := time.After(0), time.Now()
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
			if err := rewatch(w, watched, folders(cfg)); err != nil {
				return err
			}
			now := signature(cfg)
			if now == last || now == missing {
				continue
			}
			m, err := Load(ctx, cfg)
			if err != nil {
				return err
			}
			last = m.state
			changed(m)
		}
	}
}

// missing is the signature of an executable that is not there.
const missing = ""

// signature changes when the map may.
func signature(cfg Config) string {
	files := stamps(cfg.ELF)
	if files[0] == (stamp{}) {
		return missing
	}
	parts := []string{realPath(cfg.ELF), fmt.Sprint(files)}
	for _, link := range links(cfg.WorkTree) {
		to, _ := os.Readlink(link)
		_, err := os.Stat(link)
		parts = append(parts, to, fmt.Sprint(err == nil))
	}
	return strings.Join(parts, "\x00")
}

// links are Bazel's links in a work tree.
func links(tree string) (out []string) {
	if tree == "" {
		return nil
	}
	for _, name := range []string{"bazel-out", "bazel-bin", "bazel-" + filepath.Base(tree)} {
		out = append(out, filepath.Join(tree, name))
	}
	return out
}

// folders are those whose entries decide the signature: the work tree, the
// outputs, and every folder on the executable's path, as written and as it really
// is. Those above them decide it, too, when they are renamed; true marks the ones
// that builds write to.
func folders(cfg Config) map[string]bool {
	out := map[string]bool{}
	if cfg.WorkTree != "" {
		out[cfg.WorkTree] = true
		if outputs := filepath.Join(cfg.WorkTree, "bazel-out"); isDir(outputs) {
			out[realPath(outputs)] = true
		}
	}
	// The folder that is really written to, when the name is a link.
	if real := realPath(cfg.ELF); real != cfg.ELF {
		out[filepath.Dir(real)] = true
	}
	for dir, first := filepath.Dir(cfg.ELF), true; ; dir, first = filepath.Dir(dir), false {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			out[real] = out[real] || first
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

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// rewatch makes the watched folders those that are wanted. A folder that has gone
// is left out, and one that the user may not read, where no build writes to it.
func rewatch(w *fsnotify.Watcher, watched, wanted map[string]bool) error {
	for dir, written := range wanted {
		// Adding again is harmless, and needed where a folder was replaced by
		// another of its name.
		err := w.Add(dir)
		switch {
		case err == nil:
			watched[dir] = true
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission) && !written:
		default:
			return fmt.Errorf("watching %s for rebuilds: %w", dir, err)
		}
	}
	for dir := range watched {
		if _, ok := wanted[dir]; !ok {
			_ = w.Remove(dir)
			delete(watched, dir)
		}
	}
	return nil
}
