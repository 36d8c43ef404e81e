package linetable

// Tags and attributes of a unit's first DIE, 7.5.4.
const (
	tagCompileUnit  = 0x11
	tagPartialUnit  = 0x3c
	tagSkeletonUnit = 0x4a

	atStmtList = 0x10
	atCompDir  = 0x1b
)

// Unit types of version 5, 7.5.1.
const (
	utType         = 2
	utSkeleton     = 4
	utSplitCompile = 5
	utSplitType    = 6
)

// maxDIE bounds a unit's first DIE, and maxAbbrevs a table of abbreviations.
const (
	maxDIE     = 1 << 20
	maxAbbrevs = 4 << 20
)

// compDirs finds the compilation directories of line tables before version 5.
// It walks .debug_info no further than it must: the units lie in the order of
// their line tables, unless a linker is odd.
type compDirs struct {
	img   *image
	names *names
	found map[uint64]name // by DW_AT_stmt_list, until asked for

	opened       bool
	info, abbrev *section
	off          uint64 // of the next unit
}

// newCompDirs is for .debug_info. Packages (.dwo) have no such attributes: there
// all directories are unknown.
func newCompDirs(img *image, suffix string, names *names) *compDirs {
	return &compDirs{img: img, names: names, found: map[uint64]name{}, opened: suffix != "" || !img.has(".debug_info")}
}

func (c *compDirs) close() {
	if c.info != nil {
		c.info.close()
	}
	if c.abbrev != nil {
		c.abbrev.close()
	}
}

func (c *compDirs) open() (err error) {
	c.opened = true
	if c.info, err = c.img.open(".debug_info", 512); err != nil {
		return err
	}
	if c.abbrev, err = c.img.open(".debug_abbrev", 4<<10); err != nil {
		c.info = nil
	}
	return err
}

// of is the compilation directory of the line table at stmtList, noName when no
// unit has it. An error stands for one or several bad units on the way.
func (c *compDirs) of(stmtList uint64) (name, error) {
	var first error
	if !c.opened {
		first = c.open()
	}
	for c.info != nil && c.off < c.info.size {
		if id, ok := c.found[stmtList]; ok {
			delete(c.found, stmtList)
			return id, first
		}
		next, err := c.unit()
		if err != nil && first == nil {
			first = err
		}
		c.off = next
		if next == 0 {
			c.off = c.info.size
		}
	}
	return c.found[stmtList], first
}

// unit reads the unit at c.off, and returns where the next one is, or 0.
func (c *compDirs) unit() (next uint64, err error) {
	length, body, is64, err := unitLength(c.info, c.off)
	if err != nil {
		return 0, err
	}
	next = body + length
	if length == 0 {
		return next, nil
	}
	// The longest header, that of a skeleton in the 64-bit format.
	const longest = 2 + 1 + 1 + 8 + 8
	b, err := c.info.at(body, min(longest, length))
	if err != nil {
		return 0, err
	}
	d := decoder{b: b[:min(longest, length)], s: c.info, base: body}
	e := encoding{is64: is64, version: d.u16()}
	var abbrevs uint64
	switch {
	case d.err == nil && (e.version < 2 || e.version > 5):
		d.pos = 0
		d.fail("a unit of version %d", e.version)
	case e.version == 5:
		kind := d.u8()
		e.addrSize = d.u8()
		abbrevs = d.offset(is64)
		switch kind {
		case utType, utSplitType:
			return next, nil
		case utSkeleton, utSplitCompile:
			d.take(8) // dwo_id
		}
	default:
		abbrevs = d.offset(is64)
		e.addrSize = d.u8()
	}
	if d.err != nil {
		return next, d.err
	}
	return next, c.die(body+uint64(d.pos), next, abbrevs, e)
}

// die reads the unit's first DIE, which lies between start and end.
func (c *compDirs) die(start, end, abbrevs uint64, e encoding) error {
	return c.grow(c.info, start, min(end-start, maxDIE), 256, func(d *decoder) {
		code := d.uleb()
		if d.err != nil || code == 0 {
			return
		}
		decl, err := c.declaration(abbrevs, code)
		if err != nil {
			d.err = err
			return
		}
		if tag := decl.tag; tag != tagCompileUnit && tag != tagPartialUnit && tag != tagSkeletonUnit {
			return
		}
		var stmtList uint64
		comp, hasList := noName, false
		for _, f := range decl.fields {
			for f.form == formIndirect && d.err == nil {
				f.form = d.uleb()
			}
			switch f.content {
			case atStmtList:
				hasList = true
				if f.form == formSecOffset {
					stmtList = d.offset(e.is64)
				} else {
					stmtList = d.number(f.form)
				}
			case atCompDir:
				switch f.form {
				case formString, formStrp, formLineStrp:
					comp = c.names.take(d, f.form, e.is64)
				default:
					// An index (7.26) or a file of dwz. Compilers that write one
					// of these write line tables of version 5.
					d.skip(f.form, e)
				}
			default:
				d.skip(f.form, e)
			}
		}
		if d.err != nil || !hasList {
			return
		}
		if len(c.found) > maxFiles {
			d.fail("more than %d units whose line tables come later", maxFiles)
		} else if _, ok := c.found[stmtList]; !ok {
			c.found[stmtList] = comp
		}
	})
}

// declaration is an entry of .debug_abbrev, 7.5.3.
type declaration struct {
	tag    uint64
	fields []field
}

// declaration finds a code in the table at off. GCC numbers the unit's own
// somewhere among the others.
func (c *compDirs) declaration(off, code uint64) (found declaration, err error) {
	if off >= c.abbrev.size {
		return found, c.abbrev.corrupt(off, "a unit's abbreviations, beyond %d bytes", c.abbrev.size)
	}
	err = c.grow(c.abbrev, off, min(c.abbrev.size-off, maxAbbrevs), 1<<10, func(d *decoder) {
		for d.err == nil {
			this := d.uleb()
			if this == 0 {
				d.fail("no abbreviation %d", code)
				return
			}
			found = declaration{tag: d.uleb(), fields: found.fields[:0]}
			d.u8() // has children
			for d.err == nil {
				f := field{d.uleb(), d.uleb()}
				if f.form == formImplicitConst {
					d.uleb()
				}
				if f.content == 0 && f.form == 0 {
					break
				}
				if this == code {
					found.fields = append(found.fields, f)
				}
			}
			if this == code {
				return
			}
		}
	})
	return found, err
}

// grow lets parse read at most limit bytes at off, whose true size only parse
// can tell: first few, and more when these end too early.
func (c *compDirs) grow(s *section, off, limit, n uint64, parse func(*decoder)) error {
	for ; ; n *= 4 {
		n = min(n, limit)
		b, err := s.at(off, n)
		if err != nil {
			return err
		}
		d := decoder{b: b[:min(uint64(len(b)), limit)], s: s, base: off}
		parse(&d)
		if d.err == nil || !d.short || n == limit {
			return d.err
		}
	}
}
