package linetable

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// maxLines bounds the distinct lines of one file.
const maxLines = 1 << 20

// Lines are the lines that have code in one source file, ascending. sources are
// the file's paths as Read gives them, and path is the Table's: the file that has
// the line tables. Only the programs of units that name the file are run
// (DWARF 5, section 6.2.5). The lines found before an error, also that of ctx, come
// with it.
func Lines(ctx context.Context, path string, sources []string) ([]int, error) {
	in := &input{ctx: ctx}
	img, err := in.open(path)
	if err != nil {
		return nil, err
	}
	defer img.close()
	r := newReader(ctx)
	r.code = &codeLines{sources: sources, lines: map[int]bool{}}
	r.read(img, "")
	lines := slices.Sorted(maps.Keys(r.code.lines))
	if err := ctx.Err(); err != nil {
		return lines, err
	}
	if err := r.err(); err != nil {
		return lines, fmt.Errorf("%s: %w", img.path, err)
	}
	return lines, nil
}

// codeLines gathers the lines of some sources from the line programs.
type codeLines struct {
	sources []string
	all     []program
	lines   map[int]bool
}

func (c *codeLines) add(p program, files []int32) {
	p.files = slices.Clone(files)
	c.all = append(c.all, p)
}

// run runs the programs of the units that name one of the sources.
func (c *codeLines) run(u *unit) {
	wanted := map[int32]bool{}
	for i, f := range u.tally.files[1:] {
		if spelled, _, ok := u.tally.spelled(f); ok && slices.Contains(c.sources, spelled) {
			wanted[int32(i+1)] = true
		}
	}
	for _, p := range c.all {
		if u.ctx.Err() != nil {
			return
		}
		files := map[uint64]bool{}
		for i, f := range p.files {
			if wanted[f] {
				if p.version < 5 {
					i++ // which counted files from 1
				}
				files[uint64(i)] = true
			}
		}
		if len(files) == 0 {
			continue
		}
		if err := c.rows(u.lines, p, files); err != nil {
			u.fail(err)
		}
	}
}

// rows runs one program and notes the lines of its rows in these files.
func (c *codeLines) rows(s *section, p program, files map[uint64]bool) error {
	file, wanted := initial.file, files[initial.file] // asked for each row
	return p.run(s, func(at *registers) error {
		if at.file != file {
			file, wanted = at.file, files[at.file]
		}
		// The row that ends a sequence is the first address behind the code.
		if wanted && at.line > 0 && !at.dropped && !at.end {
			if c.lines[int(at.line)] = true; len(c.lines) > maxLines {
				return s.corrupt(p.unit, "more than %d lines in one file", maxLines)
			}
		}
		return nil
	})
}
