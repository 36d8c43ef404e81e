package linetable

import (
	"context"
	"errors"
	"fmt"
)

// maxErrors bounds how many bad units are reported; the others are left out all
// the same.
const maxErrors = 8

// Content types of names, 6.2.4.1.
const (
	lnctPath           = 1
	lnctDirectoryIndex = 2
	lnctMD5            = 5
)

// reader gathers the files of all line tables of a program.
type reader struct {
	ctx      context.Context
	files    files
	units    int
	versions map[int]bool
	errs     []error
	more     int // errors beyond these
	// code is set if the lines of some files are wanted.
	code *codeLines
}

func newReader(ctx context.Context) *reader {
	return &reader{ctx: ctx, files: files{}, versions: map[int]bool{}}
}

func (r *reader) fail(err error) {
	if len(r.errs) == maxErrors {
		r.more++
		return
	}
	r.errs = append(r.errs, err)
}

func (r *reader) err() error {
	if r.more > 0 {
		return errors.Join(append(r.errs, fmt.Errorf("and %d more errors", r.more))...)
	}
	return errors.Join(r.errs...)
}

// read reads .debug_line, or with the suffix .dwo what is in a package.
func (r *reader) read(img *image, suffix string) {
	if !img.has(".debug_line" + suffix) {
		return
	}
	lines, err := img.open(".debug_line"+suffix, 8<<10)
	if err != nil {
		r.fail(err)
		return
	}
	defer lines.close()
	names := newNames(img, suffix)
	defer names.close()
	u := &unit{reader: r, lines: lines, names: names, tally: newTally(names), comps: newCompDirs(img, suffix, names)}
	defer u.comps.close()
	for off := uint64(0); off < lines.size && r.ctx.Err() == nil; {
		next, err := u.header(off)
		if err != nil {
			r.fail(err)
		}
		if next == 0 {
			break // where the next one begins is not known
		}
		off = next
	}
	if err := names.resolve(); err != nil {
		r.fail(err)
	}
	r.files.add(u.tally)
	if r.code != nil {
		r.code.run(u)
	}
}

// unit reads one header after the other.
type unit struct {
	*reader
	lines *section
	names *names
	tally *tally
	comps *compDirs
	dirs  []dir // of the current unit
	// indexes are the files of the current unit, by their indexes in tally.
	indexes []int32
}

// header reads the header at off, and returns where the next one is, or 0.
func (u *unit) header(off uint64) (next uint64, err error) {
	h, err := openHeader(u.lines, off)
	if err != nil || h.version == 0 {
		return h.end, err
	}
	u.units++
	u.versions[int(h.version)] = true
	d := &h.lists
	u.indexes = u.indexes[:0]
	if h.version == 5 {
		u.newLists(d, h.is64)
	} else {
		comp, err := u.comps.of(off)
		if err != nil {
			u.fail(err)
		}
		u.oldLists(d, comp)
	}
	if d.err == nil && u.code != nil {
		u.code.add(h.program, u.indexes)
	}
	if d.err == nil && u.tally.full() {
		return 0, u.lines.corrupt(off, "more than %d distinct files", maxFiles)
	}
	return h.end, d.err
}

// oldLists takes the directories and files of versions 2 to 4. Directory 0 is
// the compilation directory, and not in the list.
func (u *unit) oldLists(d *decoder, comp name) {
	u.dirs = append(u.dirs[:0], u.tally.dir(comp, noName))
	for d.err == nil && d.left() > 0 && d.b[d.pos] != 0 {
		u.dirs = append(u.dirs, u.tally.dir(comp, u.names.take(d, formString, false)))
	}
	d.u8()
	for d.err == nil && d.left() > 0 && d.b[d.pos] != 0 {
		f := fileAt{name: u.names.take(d, formString, false)}
		index := d.uleb()
		d.uleb() // time of last modification
		d.uleb() // bytes
		u.file(d, f, index)
	}
	d.u8()
}

// file adds a file that is in a directory of the current unit.
func (u *unit) file(d *decoder, f fileAt, index uint64) {
	if d.err == nil && index >= uint64(len(u.dirs)) {
		d.fail("a file in directory %d of %d", index, len(u.dirs))
	}
	if d.err == nil {
		f.dir = u.dirs[index]
		u.indexes = append(u.indexes, u.tally.add(f))
	}
}

// field says how part of an entry is encoded.
type field struct{ content, form uint64 }

// formats takes the description of a list's entries.
func (u *unit) formats(d *decoder, fields []field) []field {
	for range d.u8() {
		fields = append(fields, field{d.uleb(), d.uleb()})
	}
	return fields
}

// count takes the number of entries of a list.
func (u *unit) count(d *decoder, fields []field) uint64 {
	n := d.uleb()
	// Each takes a byte at least: all forms for paths do.
	if d.err == nil && n > d.left() {
		d.fail("%d entries in %d bytes", n, d.left())
	}
	if d.err != nil {
		return 0
	}
	hasPath := false
	for _, f := range fields {
		hasPath = hasPath || f.content == lnctPath
	}
	if n > 0 && !hasPath {
		d.fail("%d entries without a path", n)
		return 0
	}
	return n
}

// newLists takes the directories and files of version 5. Directory 0 is the
// compilation directory, and relative ones are below it.
func (u *unit) newLists(d *decoder, is64 bool) {
	e := encoding{is64: is64, version: 5}
	var space [8]field
	fields := u.formats(d, space[:0])
	comp := noName
	u.dirs = u.dirs[:0]
	for i := range u.count(d, fields) {
		path := noName
		for _, f := range fields {
			if f.content == lnctPath {
				path = u.names.take(d, f.form, is64)
			} else {
				d.skip(f.form, e)
			}
		}
		if d.err != nil {
			return
		}
		if i == 0 {
			comp, path = path, noName
		}
		u.dirs = append(u.dirs, u.tally.dir(comp, path))
	}
	fields = u.formats(d, fields[:0])
	for range u.count(d, fields) {
		var at fileAt
		index := uint64(0)
		for _, f := range fields {
			switch {
			case f.content == lnctPath:
				at.name = u.names.take(d, f.form, is64)
			case f.content == lnctDirectoryIndex:
				index = d.number(f.form)
			case f.content == lnctMD5 && f.form == formData16:
				at.hasMD5 = true
				copy(at.md5[:], d.take(16))
			default:
				d.skip(f.form, e)
			}
		}
		u.file(d, at, index)
		if d.err != nil {
			return
		}
	}
}
