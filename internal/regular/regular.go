package regular

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// ErrNot is wrapped by the error for what exists and is not a regular file.
var ErrNot = errors.New("not a regular file")

// Open opens a regular file for reading, following symbolic links.
func Open(path string) (*os.File, error) {
	// By its name first: a device must not even be opened.
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, not(path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	// And by what was opened: the name may stand for another file by now.
	if st, err = f.Stat(); err == nil && !st.Mode().IsRegular() {
		err = not(path)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// Is reports whether path leads to a regular file.
func Is(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

func not(path string) error { return &fs.PathError{Op: "open", Path: path, Err: ErrNot} }
