//go:build linux

package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// clean removes folders of what was brought into a container, and says of each "gone", or
// "busy" while a session is in its subfolder for sessions. What a session has left that
// was killed is ended.
func clean(w io.Writer, sessions string, folders []string) error {
	for _, folder := range folders {
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		word := "gone"
		switch err := cleanFolder(folder, filepath.Join(folder, sessions)); {
		case taken(err):
			word = "busy"
		case err != nil:
			return err
		}
		if _, err := fmt.Fprintln(w, word, folder); err != nil {
			return err
		}
	}
	return nil
}

func cleanFolder(folder, place string) error {
	if _, err := os.Stat(place); err == nil {
		lock, err := lockFree(place)
		switch {
		case errors.Is(err, fs.ErrNotExist): // its session has removed it in between
		case err != nil:
			return err
		default:
			defer lock.Close()
			if err := lock.clean(); err != nil {
				return err
			}
		}
	}
	return os.RemoveAll(folder)
}

func taken(err error) bool {
	var told *helper.StatusError
	return errors.As(err, &told) && told.Problem == helper.ProblemTaken
}
