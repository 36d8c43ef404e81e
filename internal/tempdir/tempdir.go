package tempdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// prefix begins the name of every folder. What os.MkdirTemp appends is at most ten
// digits.
const (
	prefix  = "envoydbg-"
	longest = len("/" + prefix + "4294967295")
)

// Places are where a session's folder may be, best first: where a login has its own,
// where temporary files belong, and what is writable in an Istio sidecar with a
// read-only root.
func Places() []string {
	return []string{os.Getenv("XDG_RUNTIME_DIR"), os.Getenv("TMPDIR"), "/tmp", "/dev/shm",
		"/var/lib/istio/data", "/etc/istio/proxy"}
}

// Owned are the folders in these places that are this user's alone, whichever of its processes
// they belong to.
func Owned(places []string) (paths []string) {
	for _, place := range places {
		entries, _ := os.ReadDir(place)
		for _, e := range entries {
			path := filepath.Join(place, e.Name())
			var st unix.Stat_t
			if strings.HasPrefix(e.Name(), prefix) && unix.Lstat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR &&
				int(st.Uid) == os.Geteuid() && st.Mode&0o077 == 0 && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// Need is what a folder must be good for.
type Need struct {
	// MaxPath is how long the folder's path may be, in bytes: the address of a unix
	// socket has at most 107 (104 on Darwin).
	MaxPath int
	// Exec says that programs are to run from the folder.
	Exec bool
}

// Dir is a folder that this process owns.
type Dir struct {
	Path string
	hold *holder
}

// Error says why none of the places will do.
type Error struct {
	// Tried has a line for each place: the path and what is wrong with it.
	Tried []string
	// MaxPath is that of the Need.
	MaxPath int
	causes  []error
}

// Error implements error.
func (e *Error) Error() string {
	return "no place for the session's folder: " + strings.Join(e.Tried, "; ")
}

// Unwrap gives the error of each place.
func (e *Error) Unwrap() []error { return e.causes }

// Make makes a folder of mode 0700 in the first of the places that has what is
// needed; empty names are skipped. The error is an *[Error]. Folders in these places
// whose owners were killed are removed.
func Make(places []string, need Need) (*Dir, error) {
	failed := &Error{MaxPath: need.MaxPath}
	tried := map[string]bool{}
	for _, place := range places {
		if place == "" || tried[filepath.Clean(place)] {
			continue
		}
		tried[filepath.Clean(place)] = true
		sweep(place)
		d, err := makeIn(place, need)
		if err == nil {
			return d, nil
		}
		failed.causes = append(failed.causes, err)
		failed.Tried = append(failed.Tried, place+": "+reason(err))
	}
	return nil, failed
}

// reason is an error of the file system without the path, which is random.
func reason(err error) string {
	if e, ok := err.(*os.PathError); ok {
		return e.Err.Error()
	}
	return err.Error()
}

func makeIn(place string, need Need) (*Dir, error) {
	if !filepath.IsAbs(place) {
		return nil, errors.New("not an absolute path")
	}
	if most := need.MaxPath - longest; len(filepath.Clean(place)) > most {
		return nil, fmt.Errorf("the path has %d bytes, and a unix socket below it allows at most %d", len(place), most)
	}
	if need.Exec && noexec(place) {
		return nil, errors.New("mounted noexec")
	}
	mu.Lock()
	defer mu.Unlock()
	for try := 0; ; try++ {
		path, err := os.MkdirTemp(place, prefix)
		if err != nil {
			return nil, err
		}
		d := &Dir{Path: path}
		if d.hold, err = hold(path); err == nil {
			return d, nil
		}
		_ = Remove(path)
		// Another session's sweep may have come between the making of the lock and
		// the locking.
		if !errors.Is(err, errTaken) || try == 2 {
			return nil, err
		}
	}
}

// Remove removes the folder with all that is in it.
func (d *Dir) Remove() error {
	err := Remove(d.Path)
	d.hold.release()
	return err
}

// Hold makes this process another owner of a folder that belongs to another one, and
// returns the function that ends that.
func Hold(path string) (release func(), err error) {
	mu.Lock()
	defer mu.Unlock()
	h, err := hold(path)
	if err != nil {
		return nil, err
	}
	return h.release, nil
}
