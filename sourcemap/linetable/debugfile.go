package linetable

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/envoydbg/envoydbg/internal/elffile"
	"github.com/envoydbg/envoydbg/internal/regular"
)

// systemDebugDir is where distributions put separate debug files.
const systemDebugDir = "/usr/lib/debug"

// input is the file access of one Read: it opens images, whose reads it counts
// and refuses once the context has ended.
type input struct {
	ctx   context.Context
	bytes int64
}

type countedReader struct {
	io.ReaderAt
	in *input
}

func (r countedReader) ReadAt(b []byte, off int64) (int, error) {
	if err := r.in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.ReaderAt.ReadAt(b, off)
	r.in.bytes += int64(n)
	return n, err
}

// open opens the ELF at path, to be closed by the caller.
func (in *input) open(path string) (*image, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	img, err := in.image(path, f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	img.close = func() { f.Close() }
	return img, nil
}

func (in *input) image(path string, f *os.File) (*image, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return parseImage(path, countedReader{f, in}, st.Size())
}

func parseImage(path string, r io.ReaderAt, size int64) (*image, error) {
	img := &image{path: path, r: r, close: func() {}}
	var err error
	if img.file, err = elffile.New(img.r, size); err != nil {
		return nil, err
	}
	if !img.file.Is64() || img.file.Order != binary.LittleEndian {
		return nil, fmt.Errorf("%w: only 64-bit little-endian files are read", errors.ErrUnsupported)
	}
	if img.buildID, err = img.file.BuildID(); err != nil {
		return nil, err
	}
	return img, img.index()
}

// hasLines tells whether there is anything to read.
func (img *image) hasLines() bool { return img.has(".debug_line") || img.has(".debug_line.dwo") }

// openWithLines opens the ELF at path, or the separate debug file that has its
// line tables.
func (in *input) openWithLines(path string, dirs ...string) (*image, error) {
	img, err := in.open(path)
	if err != nil || img.hasLines() {
		return img, err
	}
	defer img.close()
	link, sum, err := img.debugLink()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var tried []string
	for _, candidate := range candidates(path, img.buildID, link, dirs) {
		if err := in.ctx.Err(); err != nil {
			return nil, err
		}
		debug, why := in.openDebug(candidate, img, sum)
		if debug != nil {
			return debug, nil
		}
		tried = append(tried, candidate+" ("+why+")")
	}
	where := "it has neither a build-id nor a .gnu_debuglink to find a separate debug file by"
	if len(tried) > 0 {
		where = "nor in a separate debug file; tried " + strings.Join(tried, ", ")
	}
	return nil, fmt.Errorf("%w in %s; %s", ErrNoLineTables, path, where)
}

// candidates are the places of a separate debug file, in LLDB's order: in each of dirs,
// then in the program's folder, then in the system's.
func candidates(path, buildID, link string, dirs []string) []string {
	beside := filepath.Dir(path)
	// A link such as /usr/bin/x has its debug file by the file it points to.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		beside = filepath.Dir(real)
	}
	if abs, err := filepath.Abs(beside); err == nil {
		beside = abs
	}
	var all []string
	for _, dir := range slices.Concat(dirs, []string{beside, systemDebugDir}) {
		if len(buildID) > 2 {
			all = append(all, filepath.Join(dir, ".build-id", buildID[:2], buildID[2:]+".debug"))
		}
		if link != "" {
			all = append(all, filepath.Join(dir, link), filepath.Join(dir, ".debug", link), filepath.Join(dir, beside, link))
		}
	}
	return all
}

// openDebug opens a candidate when it belongs to the program, else says why not.
func (in *input) openDebug(candidate string, program *image, sum uint32) (*image, string) {
	debug, err := in.open(candidate)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, "not there"
	case errors.Is(err, regular.ErrNot):
		return nil, regular.ErrNot.Error()
	case err != nil:
		return nil, strings.TrimPrefix(err.Error(), candidate+": ")
	}
	why := ""
	switch {
	case !debug.hasLines():
		why = "no line tables"
	case program.buildID != "" && debug.buildID != "":
		if debug.buildID != program.buildID {
			why = "build-id " + debug.buildID + " instead of " + program.buildID
		}
	default:
		// The sum is of the whole file, so it is taken only without build-ids.
		hash := crc32.NewIEEE()
		if _, err := io.Copy(hash, io.NewSectionReader(debug.r, 0, int64(debug.file.Size))); err != nil {
			why = err.Error()
		} else if hash.Sum32() != sum {
			why = "not the file whose checksum .gnu_debuglink has"
		}
	}
	if why != "" {
		debug.close()
		return nil, why
	}
	return debug, ""
}

// debugLink is the contents of .gnu_debuglink: a file name, filled up to four
// bytes, and the CRC-32 of that file.
func (img *image) debugLink() (link string, sum uint32, err error) {
	const name = ".gnu_debuglink"
	h, ok := img.sections[name]
	if !ok {
		return "", 0, nil
	}
	s := &section{name: name}
	if h.Size < 8 || h.Size > maxName || h.Flags&elf.SHF_COMPRESSED != 0 {
		return "", 0, s.corrupt(0, "a link of %d bytes", h.Size)
	}
	b, err := img.file.At(h.Off, h.Size, name)
	if err != nil {
		return "", 0, err
	}
	end := bytes.IndexByte(b, 0)
	at := (end + 4) &^ 3
	if end <= 0 || at+4 > len(b) {
		return "", 0, s.corrupt(0, "no file name and checksum")
	}
	link = string(b[:end])
	if link != filepath.Base(link) {
		return "", 0, s.corrupt(0, "%q is not the name of a file", link)
	}
	return link, binary.LittleEndian.Uint32(b[at:]), nil
}

// readDWP reads the package of split DWARF beside one of the paths, and returns
// which.
func (r *reader) readDWP(in *input, paths ...string) string {
	for _, path := range slices.Compact(paths) {
		img, err := in.open(path + ".dwp")
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			r.fail(err)
			continue
		}
		defer img.close()
		r.read(img, ".dwo")
		return img.path
	}
	return ""
}
