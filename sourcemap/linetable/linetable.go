package linetable

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrNoLineTables is wrapped by the error of a file that has none, also not in
// a separate debug file; the error lists the places tried.
var ErrNoLineTables = errors.New("no line tables")

// Table is what the line tables of one program say.
type Table struct {
	Path    string  // the file whose line tables were read: the ELF or its separate debug file
	BuildID string  // lower-case hex; empty when there is none
	Files   []File  // distinct by Path and MD5, sorted by both
	Sources Sources // what was read
}

// File is a source file. A path is there twice when units disagree about its
// contents, or when only some know its MD5 (gcc 12 writes none).
type File struct {
	Path    string   // as LLDB spells it
	CompDir string   // of the first unit that names the file, as compiled; empty when not known
	MD5     [16]byte // of the contents that were compiled
	HasMD5  bool
}

// Sources tells what a Table was made from.
type Sources struct {
	Units      int    // line tables
	Versions   []int  // of these, each once, ascending
	Compressed bool   // .debug_line was
	DWP        string // the package whose .debug_line.dwo was read, too, or empty
	BytesRead  int64  // from files
}

// Read returns the source files of the ELF at path. A program that was
// compiled with -gsplit-dwarf may have a package PATH.dwp beside it. Separate
// debug files are looked for by build-id and by .gnu_debuglink, as LLDB does: in
// debugDirs, beside the ELF, and in /usr/lib/debug.
//
// When the input is corrupt (a *CorruptError, elffile.ErrNotELF for headers of
// the ELF), the table of what was found up to there comes with the error,
// or nil when nothing could be read. A file that is no regular one gives
// regular.ErrNot.
//
// When ctx ends, Read stops before its next read and returns the error of ctx
// alone.
func Read(ctx context.Context, path string, debugDirs ...string) (*Table, error) {
	in := &input{ctx: ctx}
	t, err := in.read(path, debugDirs...)
	if ended := ctx.Err(); ended != nil {
		return nil, ended
	}
	return t, err
}

func (in *input) read(path string, debugDirs ...string) (*Table, error) {
	img, err := in.openWithLines(path, debugDirs...)
	if err != nil {
		return nil, err
	}
	defer img.close()
	r := newReader(in.ctx)
	t := &Table{Path: img.path, BuildID: img.buildID}
	r.read(img, "")
	r.read(img, ".dwo")
	t.Sources.DWP = r.readDWP(in, path, img.path)
	t.Files = r.files.table()
	for v := range r.versions {
		t.Sources.Versions = append(t.Sources.Versions, v)
	}
	slices.Sort(t.Sources.Versions)
	t.Sources.Units, t.Sources.BytesRead = r.units, in.bytes
	t.Sources.Compressed = img.compressed(".debug_line")
	if err := r.err(); err != nil {
		return t, fmt.Errorf("%s: %w", img.path, err)
	}
	return t, nil
}

// CorruptError says where a section breaks the format.
type CorruptError struct {
	Section string
	Offset  uint64 // in the section, after decompression
	Reason  string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s at offset %#x: %s", e.Section, e.Offset, e.Reason)
}
