package link

// ring is a queue of bytes. It grows as needed, and gives its memory back when it is
// empty.
type ring struct {
	b     []byte
	start int
	n     int
}

// smallRing is the memory that an empty ring may keep.
const smallRing = 64 << 10

// write appends p.
func (r *ring) write(p []byte) {
	if need := r.n + len(p); need > len(r.b) {
		size := max(2*len(r.b), 4<<10)
		for size < need {
			size *= 2
		}
		b := make([]byte, size)
		r.peek(0, b)
		r.b, r.start = b, 0
	}
	end := (r.start + r.n) % len(r.b)
	copied := copy(r.b[end:], p)
	copy(r.b, p[copied:])
	r.n += len(p)
}

// peek copies bytes from position at on, without taking them.
func (r *ring) peek(at int, p []byte) int {
	n := min(len(p), r.n-at)
	if n <= 0 {
		return 0
	}
	from := (r.start + at) % len(r.b)
	copied := copy(p[:n], r.b[from:])
	copy(p[copied:n], r.b)
	return n
}

// discard drops the first n bytes.
func (r *ring) discard(n int) {
	r.n -= n
	switch {
	case r.n > 0:
		r.start = (r.start + n) % len(r.b)
	case len(r.b) > smallRing:
		*r = ring{}
	default:
		r.start = 0
	}
}
