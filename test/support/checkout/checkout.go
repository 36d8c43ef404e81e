package checkout

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Root is the absolute path of the checkout. It is found from the working
// directory upwards, which is the package's folder when a test starts.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod in the working directory or above it")
		}
		dir = parent
	}
}

// Path joins the elements to the path of the checkout. It ends the test when
// there is none.
func Path(tb testing.TB, elements ...string) string {
	tb.Helper()
	root, err := Root()
	if err != nil {
		tb.Fatal(err)
	}
	return filepath.Join(append([]string{root}, elements...)...)
}
