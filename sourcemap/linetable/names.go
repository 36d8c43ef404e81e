package linetable

import (
	"bytes"
	"cmp"
	"slices"
)

const (
	// maxName bounds one name, and maxNames all distinct ones together.
	maxName  = 64 << 10
	maxNames = 64 << 20
)

// pool is where a string is.
type pool uint8

const (
	poolLineStr pool = iota
	poolStr
	inPlace // in the header itself
	unread  // could not be read
)

// name is the number of a distinct string; noName stands for none.
type name uint32

const noName name = 0

// names numbers the strings that headers refer to, and reads them at last, each
// once and in the order in which they lie in their sections.
type names struct {
	img    *image
	suffix string // of section names: "" or ".dwo"
	list   []nameAt
	byAt   map[uint64]name // pool and offset
	byText map[string]name
	bytes  int
	pools  [2]*section
}

type nameAt struct {
	pool pool
	off  uint64
	text string
}

func newNames(img *image, suffix string) *names {
	return &names{img: img, suffix: suffix, list: make([]nameAt, 1), byAt: map[uint64]name{}, byText: map[string]name{}}
}

func (n *names) at(p pool, off uint64) name {
	key := off<<1 | uint64(p) // take has checked that the shift loses nothing
	id, ok := n.byAt[key]
	if !ok {
		id = name(len(n.list))
		n.list = append(n.list, nameAt{pool: p, off: off})
		n.byAt[key] = id
	}
	return id
}

func (n *names) inPlace(b []byte) name {
	id, ok := n.byText[string(b)]
	if !ok {
		id = name(len(n.list))
		text := string(b)
		n.list = append(n.list, nameAt{pool: inPlace, text: text})
		n.byText[text] = id
		n.bytes += len(text)
	}
	return id
}

// take takes a string of a form that refers to its own ELF.
func (n *names) take(d *decoder, form uint64, is64 bool) name {
	p := poolStr
	switch form {
	case formString:
		b := d.text()
		if len(b) > maxName || n.bytes > maxNames {
			d.fail("names of %d and %d bytes in all, more than any program has", len(b), n.bytes)
		}
		if d.err != nil {
			return noName
		}
		return n.inPlace(b)
	case formLineStrp:
		p = poolLineStr
	case formStrp:
	default:
		d.fail("form %#x for a string", form)
		return noName
	}
	off := d.offset(is64)
	if d.err != nil {
		return noName
	}
	s, err := n.pool(p)
	if err != nil {
		d.err = err
		return noName
	}
	if off >= s.size || off >= 1<<62 {
		d.fail("a string at offset %#x of %s, which has %d bytes", off, s.name, s.size)
		return noName
	}
	return n.at(p, off)
}

// pool opens a section of strings when it is wanted for the first time.
func (n *names) pool(p pool) (s *section, err error) {
	if n.pools[p] == nil {
		// The strings of line tables lie together; of all others few are wanted.
		name, step := ".debug_line_str"+n.suffix, uint64(64<<10)
		if p == poolStr {
			name, step = ".debug_str"+n.suffix, 512
		}
		n.pools[p], err = n.img.open(name, step)
	}
	return n.pools[p], err
}

func (n *names) close() {
	for _, s := range n.pools {
		if s != nil {
			s.close()
		}
	}
}

// resolve reads the strings. One that cannot be read stays unset; the first
// error is returned.
func (n *names) resolve() (first error) {
	order := make([]name, 0, len(n.byAt))
	for _, id := range n.byAt {
		order = append(order, id)
	}
	slices.SortFunc(order, func(a, b name) int {
		x, y := n.list[a], n.list[b]
		return cmp.Or(cmp.Compare(x.pool, y.pool), cmp.Compare(x.off, y.off))
	})
	for _, id := range order {
		at := &n.list[id]
		s := n.pools[at.pool]
		b, err := cString(s, at.off)
		if err == nil && n.bytes+len(b) > maxNames {
			err = s.corrupt(at.off, "more than %d bytes of names in all", maxNames)
		}
		if err != nil {
			at.pool = unread
			first = cmp.Or(first, err)
			continue
		}
		at.text = string(b)
		n.bytes += len(b)
	}
	return first
}

// cString reads up to a NUL.
func cString(s *section, off uint64) ([]byte, error) {
	for n := uint64(128); ; n *= 4 {
		n = min(n, s.size-off)
		b, err := s.at(off, n)
		if err != nil {
			return nil, err
		}
		if end := bytes.IndexByte(b, 0); end >= 0 && end <= maxName {
			return b[:end], nil
		}
		if n == s.size-off || n > maxName {
			return nil, s.corrupt(off, "a name that does not end in %d bytes", n)
		}
	}
}
