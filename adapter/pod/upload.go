package pod

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper/bundle"
)

// uploadTime bounds an upload of some 85 MB over a slow link.
const uploadTime = 15 * time.Minute

// uploadServer brings lldb-server into the container, unless it is there, and returns
// its path.
func (t *Target) uploadServer(ctx context.Context, program string) (string, error) {
	files, err := bundle.Files(ctx, program)
	if err != nil {
		return "", err
	}
	name, err := nameOf(files)
	if err != nil {
		return "", err
	}
	dir := path.Join(t.placed.dir, name)
	server := path.Join(dir, bundle.Wrapper)
	if _, err := t.ask(ctx, t.placed, wordHas, server); err == nil {
		return server, nil
	}
	file, err := t.packed(ctx, name, files)
	if err != nil {
		return "", err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, uploadTime)
	defer cancel()
	counted := &counter{r: file, tell: func(n int64) {
		t.progress("uploading lldb-server, %s of %s", megabytes(n), megabytes(st.Size()))
	}}
	if _, err := run(ctx, t.container, []string{t.placed.helper, "unpack", dir}, counted); err != nil {
		return "", err
	}
	return server, nil
}

// nameOf is a name for a bundle by its content.
func nameOf(files []bundle.File) (string, error) {
	h := sha256.New()
	for _, f := range files {
		st, err := os.Stat(f.Path)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, f.Name, f.Path, st.Size(), st.ModTime().UnixNano())
	}
	return "lldb-server-" + hex.EncodeToString(h.Sum(nil))[:16], nil
}

// packed is the archive, from the cache of this machine if it is there.
func (t *Target) packed(ctx context.Context, name string, files []bundle.File) (*os.File, error) {
	dir := t.CacheDir
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(base, "envoydbg", "bundles")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, name+".tar.zst")
	if f, err := os.Open(file); err == nil {
		return f, nil
	}
	t.progress("packing lldb-server and its libraries (once)")
	part, err := os.CreateTemp(dir, "part-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(part.Name())
	err = errors.Join(bundle.Write(ctx, part, files), part.Close())
	if err == nil {
		err = os.Rename(part.Name(), file)
	}
	if err != nil {
		return nil, err
	}
	return os.Open(file)
}

// counter tells how much has been read, four times a second.
type counter struct {
	r    io.Reader
	tell func(n int64)
	n    int64
	last time.Time
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if time.Since(c.last) > 250*time.Millisecond {
		c.last = time.Now()
		c.tell(c.n)
	}
	return n, err
}
