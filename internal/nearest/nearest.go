package nearest

import (
	"cmp"
	"math/bits"
	"slices"
)

// maxName bounds the names that are compared: a longer one is no word of a person's.
const maxName = 128

// Word is a name that others are compared with.
type Word struct {
	text    string
	letters uint64
	// Limit is the greatest distance of a name that resembles it.
	Limit int
}

// Of returns the word of a name. The longer it is, the more slips it may have.
func Of(name string) Word {
	text := []byte(name)
	for i, c := range text {
		text[i] = lower(c)
	}
	w := Word{text: string(text)}
	w.letters = letters(w.text)
	w.Limit = min(3, (len(w.text)+1)/3)
	return w
}

// letters has a bit for each letter of a name, which tells most names apart without
// looking at them closely.
func letters[T string | []byte](name T) uint64 {
	var set uint64
	for i := range len(name) {
		set |= 1 << (lower(name[i]) & 63)
	}
	return set
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Distance is that of a name; not ok if it is beyond the limit.
func Distance[T string | []byte](w Word, name T) (distance int, ok bool) {
	a := w.text
	difference := len(a) - len(name)
	if difference < -w.Limit || difference > w.Limit || len(name) > maxName || len(a) > maxName {
		return 0, false
	}
	// One step changes two of the letters at most.
	if bits.OnesCount64(w.letters^letters(name)) > 2*w.Limit {
		return 0, false
	}
	// Three rows of the usual table: the last but one, the last, and this.
	var rows [3][maxName + 1]int
	before, last, this := &rows[0], &rows[1], &rows[2]
	for j := range len(name) + 1 {
		last[j] = j
	}
	for i := range len(a) {
		this[0] = i + 1
		least := this[0]
		for j := range len(name) {
			c := lower(name[j])
			step := 1
			if a[i] == c {
				step = 0
			}
			d := min(last[j]+step, last[j+1]+1, this[j]+1)
			if i > 0 && j > 0 && a[i] == lower(name[j-1]) && a[i-1] == c {
				d = min(d, before[j-1]+1)
			}
			this[j+1] = d
			least = min(least, d)
		}
		if least > w.Limit {
			return 0, false
		}
		before, last, this = last, this, before
	}
	distance = last[len(name)]
	return distance, distance <= w.Limit
}

// Among returns the names that resemble a name, the nearest first, at most n. One
// that is much farther than the nearest is none of them.
func Among(name string, names []string, n int) []string {
	w := Of(name)
	type hit struct {
		name     string
		distance int
	}
	var hits []hit
	for _, other := range names {
		if d, ok := Distance(w, other); ok {
			hits = append(hits, hit{other, d})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.distance, b.distance) })
	var out []string
	for _, h := range hits[:min(n, len(hits))] {
		if h.distance > hits[0].distance+1 {
			break
		}
		out = append(out, h.name)
	}
	return out
}
