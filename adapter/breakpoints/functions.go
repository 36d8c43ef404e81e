package breakpoints

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/ianlancetaylor/demangle"

	"github.com/envoydbg/envoydbg/internal/elffile"
	"github.com/envoydbg/envoydbg/internal/nearest"
)

const (
	// maxDemangled is how many of the nearest symbols are demangled: many are
	// overloads and instances of one template.
	maxDemangled = 256
	// maxParts bounds the identifiers of one name that are compared.
	maxParts = 32
)

// nearestFunctions are at most n functions of the ELF at path whose names resemble
// a word, as one would type them, the nearest first. known is false where the file
// has no names of functions. When ctx ends, it is those found so far.
func nearestFunctions(ctx context.Context, path, word string, n int) (names []string, known bool) {
	f, err := elffile.Open(path)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	s := newSearch(word)
	known, _ = f.Functions(ctx, s.look)
	return s.best(n), known
}

// search looks for the symbols that resemble a qualified name. It compares the
// identifiers of the mangled names: to demangle a million symbols takes seconds.
type search struct {
	names []string       // of the word; the last is the function's own
	parts []nearest.Word // the same
	found []symbol
	// worst is the greatest distance that is still of use.
	worst int
	// space is for the identifiers of one symbol.
	space [maxParts][]byte
}

type symbol struct {
	mangled  string
	distance int
}

func newSearch(word string) *search {
	word, _, _ = strings.Cut(word, "(")
	s := &search{}
	for part := range strings.SplitSeq(strings.Trim(strings.TrimSpace(word), ":"), "::") {
		w := nearest.Of(part)
		s.names = append(s.names, part)
		s.parts = append(s.parts, w)
		s.worst += w.Limit + 1
	}
	return s
}

// look takes one symbol.
func (s *search) look(mangled []byte) {
	d, ok := s.distance(identifiers(mangled, s.space[:0]))
	if !ok || d > s.worst {
		return
	}
	s.found = append(s.found, symbol{string(mangled), d})
	if len(s.found) == 2*maxDemangled {
		s.keepBest()
	}
}

func (s *search) keepBest() {
	slices.SortStableFunc(s.found, func(a, b symbol) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(len(a.mangled), len(b.mangled)), strings.Compare(a.mangled, b.mangled))
	})
	if len(s.found) >= maxDemangled {
		s.found = s.found[:maxDemangled]
		s.worst = s.found[maxDemangled-1].distance
	}
}

// distance is the sum of those of the word's parts. The function's own name must
// resemble the word's; a scope that is another costs something.
func (s *search) distance(identifiers [][]byte) (int, bool) {
	if len(identifiers) == 0 {
		return 0, false
	}
	own := len(identifiers) - 1
	sum, ok := nearest.Distance(s.parts[len(s.parts)-1], identifiers[own])
	if !ok {
		return 0, false
	}
	for _, part := range s.parts[:len(s.parts)-1] {
		least := part.Limit + 1
		for _, scope := range identifiers[:own] {
			if d, ok := nearest.Distance(part, scope); ok {
				least = min(least, d)
			}
		}
		sum += least
	}
	return sum, true
}

// is reports whether LLDB takes the word for a function with these identifiers: they
// end with those of the word.
func (s *search) is(identifiers [][]byte) bool {
	if len(identifiers) < len(s.names) {
		return false
	}
	for i, name := range s.names {
		if string(identifiers[len(identifiers)-len(s.names)+i]) != name {
			return false
		}
	}
	return true
}

// best are the nearest, each once.
func (s *search) best(n int) []string {
	s.keepBest()
	var out []string
	for _, f := range s.found {
		name := demangle.Filter(f.mangled, demangle.NoParams, demangle.NoTemplateParams, demangle.NoClones)
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
		if len(out) == n {
			break
		}
	}
	return out
}

// identifiers are those that a symbol's name is made of: of _ZN5Envoy6Server3runEv
// Envoy, Server and run (Itanium C++ ABI, section 5.1.2). A name of another shape,
// such as an operator's, a lambda's or a thunk's, has none.
func identifiers(mangled []byte, out [][]byte) [][]byte {
	rest, isCxx := bytes.CutPrefix(mangled, []byte("_Z"))
	if !isCxx {
		return append(out, mangled)
	}
	nested := len(rest) > 0 && rest[0] == 'N'
	if nested {
		rest = bytes.TrimLeft(rest[1:], "rVKRO") // cv- and ref-qualifiers of a method
	}
	for len(rest) > 0 && len(out) < maxParts {
		switch c := rest[0]; {
		case c >= '1' && c <= '9':
			n, digits := number(rest)
			if n > len(rest)-digits {
				return nil
			}
			out = append(out, rest[digits:digits+n])
			rest = rest[digits+n:]
			if !nested {
				return out
			}
		case c == 'L': // internal linkage
			rest = rest[1:]
		case c == 'S' && len(rest) > 1:
			rest = substitution(rest)
		case c == 'I' && nested:
			if rest = arguments(rest); rest == nil {
				return nil
			}
		case (c == 'C' || c == 'D') && nested && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '5' && len(out) > 0:
			return append(out, out[len(out)-1]) // of the class
		case c == 'E' && nested:
			return out
		default:
			return nil
		}
	}
	return nil
}

// number takes a decimal number.
func number(b []byte) (n, digits int) {
	for digits < len(b) && b[digits] >= '0' && b[digits] <= '9' && n < 1<<20 {
		n = 10*n + int(b[digits]-'0')
		digits++
	}
	return n, digits
}

// substitution passes over one: St, Sa, S_, S1A_.
func substitution(b []byte) []byte {
	if c := b[1]; c >= 'a' && c <= 'z' {
		return b[2:]
	}
	if end := bytes.IndexByte(b, '_'); end >= 0 {
		return b[end+1:]
	}
	return nil
}

// arguments passes over the arguments of a template: nil where that is not plain.
func arguments(b []byte) []byte {
	depth := 0
	for len(b) > 0 {
		switch c := b[0]; {
		case c >= '1' && c <= '9':
			n, digits := number(b)
			if n > len(b)-digits {
				return nil
			}
			b = b[digits+n:]
			continue
		case c == 'S' && len(b) > 1:
			b = substitution(b)
			continue
		case c == 'T': // T_, T0_
			end := bytes.IndexByte(b, '_')
			if end < 0 {
				return nil
			}
			b = b[end+1:]
			continue
		case c == 'L': // a literal: Lb1E, Li42E
			end := bytes.IndexByte(b, 'E')
			if end < 0 || len(b) > 1 && b[1] == '_' {
				return nil
			}
			b = b[end+1:]
			continue
		case c == 'I' || c == 'N' || c == 'J' || c == 'F':
			depth++
		case c == 'X' || c == 'A' || c == 'U':
			return nil
		case c == 'E':
			if depth--; depth == 0 {
				return b[1:]
			}
		}
		b = b[1:]
	}
	return nil
}
