package tempdir

import (
	"errors"
	"os"
	"path/filepath"
)

// Remove removes a session's folder with all that is in it, links and not what they
// lead to. The lock goes last: a folder whose removal is cut short by SIGKILL is then
// still known for one that nobody owns, and the next sweep removes it.
func Remove(path string) error {
	var errs []error
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		errs = append(errs, err)
	}
	for _, e := range entries {
		if e.Name() != lockName {
			errs = append(errs, os.RemoveAll(filepath.Join(path, e.Name())))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return os.RemoveAll(path)
}
