package dapio

// scan checks JSON text and finds the members of the object at its top, in one
// pass and without memory of its own: it runs between two waits of each message,
// when nothing of it is in the processor's caches, and its length counts more
// than its speed. Grammar: RFC 8259.
type scan struct {
	b     []byte
	i     int // offset of the next byte
	depth int
}

// members calls f with each key (its text between the quotes, still escaped) and
// the span of its value. It reports whether the text is one JSON object nested no
// deeper than maxDepth.
func (s *scan) members(f func(key []byte, value span)) bool {
	s.space()
	return s.is('{') && s.items('}', f) && s.space() == 0 && s.i == len(s.b)
}

// space skips white space and returns the byte behind it, 0 at the end.
func (s *scan) space() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// is takes the next byte if it is c.
func (s *scan) is(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// items takes the rest of an object or an array, whose last byte is end. f, if not
// nil, is called with each member of the object.
func (s *scan) items(end byte, f func(key []byte, value span)) bool {
	if s.depth++; s.depth > maxDepth {
		return false
	}
	if s.space() == end {
		s.i++
		s.depth--
		return true
	}
	for {
		var key []byte
		if s.space(); end == '}' {
			from := s.i + 1
			if !s.is('"') || !s.text() {
				return false
			}
			key = s.b[from : s.i-1]
			if s.space(); !s.is(':') {
				return false
			}
			s.space()
		}
		at := span{from: s.i}
		if !s.value() {
			return false
		}
		if at.to = s.i; f != nil {
			f(key, at)
		}
		switch s.space() {
		case ',':
			s.i++
		case end:
			s.i++
			s.depth--
			return true
		default:
			return false
		}
	}
}

// value takes a value, which starts at the next byte.
func (s *scan) value() bool {
	if s.i == len(s.b) {
		return false
	}
	c := s.b[s.i]
	s.i++
	switch c {
	case '"':
		return s.text()
	case '{':
		return s.items('}', nil)
	case '[':
		return s.items(']', nil)
	case 't':
		return s.word("rue")
	case 'f':
		return s.word("alse")
	case 'n':
		return s.word("ull")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		s.i--
		return s.number()
	}
	return false
}

// text takes the rest of a string.
func (s *scan) text() bool {
	for i := s.i; i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == '"':
			s.i = i + 1
			return true
		case c < ' ':
			return false
		case c == '\\':
			i++
			if i == len(s.b) {
				return false
			}
			switch s.b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					i++
					if i == len(s.b) || !isHex(s.b[i]) {
						return false
					}
				}
			default:
				return false
			}
		}
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func (s *scan) word(rest string) bool {
	if end := s.i + len(rest); end <= len(s.b) && string(s.b[s.i:end]) == rest {
		s.i = end
		return true
	}
	return false
}

func (s *scan) number() bool {
	s.is('-')
	if !s.is('0') && !s.digits() {
		return false
	}
	if s.is('.') && !s.digits() {
		return false
	}
	if s.is('e') || s.is('E') {
		if !s.is('+') {
			s.is('-')
		}
		return s.digits()
	}
	return true
}

// digits takes one digit or more.
func (s *scan) digits() bool {
	from := s.i
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}
