package bundle

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// maxBytes bounds what a bundle may unpack to; lldb-server 22 takes 280 MB.
const maxBytes = 1 << 30

// Unpack unpacks a bundle into dir, which appears when it is complete. helper becomes
// its wrapper. Whatever happens r is read to its end: the other side of an exec could
// hang otherwise.
func Unpack(r io.Reader, dir, helper string) (err error) {
	defer func() { _, _ = io.Copy(io.Discard, r) }()
	return build(dir, dir, helper, func(root *os.Root) error {
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return err
		}
		defer z.Close()
		return extract(tar.NewReader(z), root)
	})
}

// Copy makes a bundle of files of this machine in dir, as Unpack does. Where it will be
// run dir is called final.
func Copy(files []File, dir, final, helper string) error {
	return build(dir, final, helper, func(root *os.Root) error {
		for _, f := range files {
			if err := root.MkdirAll(filepath.Dir(f.Name), 0o700); err != nil {
				return err
			}
			if err := copyInto(root, f.Name, f.Path); err != nil {
				return err
			}
		}
		return nil
	})
}

// build makes a bundle of what fill stores in its folder.
func build(dir, final, helper string, fill func(root *os.Root) error) error {
	if _, err := os.Stat(dir); err == nil {
		return nil // somebody was faster
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	part, err := os.MkdirTemp(filepath.Dir(dir), "part-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part)
	root, err := os.OpenRoot(part)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := fill(root); err != nil {
		return err
	}
	if _, err := root.Stat(loader); err != nil {
		return fmt.Errorf("the bundle is not complete: %w", err)
	}
	program, err := root.OpenFile(server, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("the bundle is not complete: %w", err)
	}
	if err := errors.Join(setInterpreter(program, filepath.Join(final, loader)), program.Close()); err != nil {
		return err
	}
	if err := copyInto(root, Wrapper, helper); err != nil {
		return err
	}
	if err := os.Rename(part, dir); err != nil {
		if _, there := os.Stat(dir); there == nil {
			return nil
		}
		return err
	}
	return nil
}

func extract(t *tar.Reader, root *os.Root) error {
	left := int64(maxBytes)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if left -= h.Size; h.Typeflag != tar.TypeReg || left < 0 {
			return fmt.Errorf("the bundle has an entry %q of kind %q and %d bytes", h.Name, h.Typeflag, h.Size)
		}
		if err := root.MkdirAll(filepath.Dir(h.Name), 0o700); err != nil {
			return err
		}
		if err := store(root, h.Name, t); err != nil {
			return err
		}
	}
}

func store(root *os.Root, name string, r io.Reader) error {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

func copyInto(root *os.Root, name, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return store(root, name, in)
}
