package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Settle is how long the folders must be quiet before they are looked at again:
// a build writes an executable in many pieces. Steady bounds it, for folders that
// never are.
const (
	Settle = 150 * time.Millisecond
	Steady = 700 * time.Millisecond
)

// Folders calls look at the start, and whenever something in the folders has changed. The
// folders may be others each time; true marks the ones that builds write to. It returns nil
// when ctx ends, look's error, and an error as soon as a folder cannot be watched: nothing
// is half watched without a word.
func Folders(ctx context.Context, folders func() map[string]bool, look func() error) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching for rebuilds: %w", err)
	}
	defer w.Close()
	watched := map[string]bool{}
	if err := rewatch(w, watched, folders()); err != nil {
		return err
	}
	// Something may have changed before the watch began.
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
			if wait := min(Settle, Steady-now.Sub(since)); wait > 0 {
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
			if err := rewatch(w, watched, folders()); err != nil {
				return err
			}
			if err := look(); err != nil {
				return err
			}
		}
	}
}

// Path adds to out every folder on a file's path, as written and as it really is: those
// above it decide what the file is, too, when they are renamed. It goes up as far as top,
// if that is on the way.
func Path(out map[string]bool, file, top string) {
	// The folder that is really written to, when the name is a link.
	if real, err := filepath.EvalSymlinks(file); err == nil && real != file {
		out[filepath.Dir(real)] = true
	}
	for dir, first := filepath.Dir(file), true; ; dir, first = filepath.Dir(dir), false {
		real, err := filepath.EvalSymlinks(dir)
		if err == nil {
			out[real] = out[real] || first
			if dir == real {
				break // no link from here up
			}
		}
		if dir == filepath.Dir(dir) || dir == top {
			break
		}
	}
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
