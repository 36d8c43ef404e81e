package bundle

import (
	"archive/tar"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// File is one file of a bundle.
type File struct {
	Name  string // below the bundle's folder
	Path  string // here
	Bytes int64
}

// Names in a bundle.
const (
	Wrapper = "lldb-server" // what is to be run
	server  = "bin/lldb-server"
	loader  = "lib/ld.so"
)

// library is a line of a loader's --list: "libc.so.6 => /lib/libc.so.6 (0x7f…)".
var library = regexp.MustCompile(`(?m)^\s*(\S+) => (/\S+) \(0x`)

// Files are what an lldb-server of this machine needs to run elsewhere.
func Files(ctx context.Context, program string) ([]File, error) {
	program, err := filepath.EvalSymlinks(program)
	if err != nil {
		return nil, err
	}
	interpreter, err := interpreterOf(program)
	if err != nil {
		return nil, err
	}
	// The loader knows best what it would load.
	list, err := exec.CommandContext(ctx, interpreter, "--list", program).Output()
	if err != nil {
		return nil, fmt.Errorf("%s --list %s: %w", interpreter, program, err)
	}
	files := []File{{Name: server, Path: program}, {Name: loader, Path: interpreter}}
	for _, m := range library.FindAllStringSubmatch(string(list), -1) {
		files = append(files, File{Name: "lib/" + m[1], Path: m[2]})
	}
	for i := range files {
		st, err := os.Stat(files[i].Path)
		if err != nil {
			return nil, err
		}
		files[i].Bytes = st.Size()
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}

// interpreterOf is the loader that an ELF asks for.
func interpreterOf(program string) (string, error) {
	f, err := elf.Open(program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[runtime.GOARCH]; f.Machine != want {
		return "", fmt.Errorf("%s is for another machine (%v)", program, f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP && p.Filesz < 4096 {
			b := make([]byte, p.Filesz)
			if _, err := p.ReadAt(b, 0); err != nil {
				return "", err
			}
			return strings.TrimRight(string(b), "\x00"), nil
		}
	}
	return "", errors.New(program + " has no loader: it is static")
}

// Write writes a bundle as a tar archive, compressed by zstd.
func Write(ctx context.Context, w io.Writer, files []File) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := add(t, f); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}

func add(t *tar.Writer, f File) error {
	in, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := t.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o700, Size: f.Bytes, Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err = io.CopyN(t, in, f.Bytes)
	return err
}
