package terminal

import (
	"strings"
	"testing"
)

func TestTextIsFoundHoweverItComes(t *testing.T) {
	for _, pieces := range [][]string{
		{"starting main dispatch loop\n"},
		{"star", "ting main dis", "patch loop"},
		{"noise starting main dispatch ", "starting main dispatch loop"},
		strings.Split("starting main dispatch loop", ""),
	} {
		var r recent
		found := 0
		for _, piece := range pieces {
			r.add(piece)
			if r.find("starting main dispatch loop") {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%q: found %d times", pieces, found)
		}
	}
}

// What a find has returned is over; what came behind it is still to be found,
// even if it came in the same piece, and before anybody asked for it.
func TestTextIsFoundOnceAndInOrder(t *testing.T) {
	var r recent
	r.add("one two three")
	if r.search(); r.find("four") {
		t.Error("found what has not come")
	}
	for _, x := range []struct {
		text string
		want bool
	}{{"two", true}, {"two", false}, {"one", false}, {"three", true}} {
		r.search()
		if got := r.find(x.text); got != x.want {
			t.Errorf("find %q: %v", x.text, got)
		}
	}
}

func TestOutputThatIsKeptIsBounded(t *testing.T) {
	var r recent
	line := strings.Repeat("x", 99) + "\n"
	for range 100 << 20 / len(line) {
		r.add(line)
		if r.find("nothing like this") {
			t.Fatal("found")
		}
		if len(r.buf) > 2*maxRecent || r.from > len(r.buf) {
			t.Fatalf("%d bytes are kept, the search begins at %d", len(r.buf), r.from)
		}
	}
	if cap(r.buf) > 3*maxRecent {
		t.Errorf("%d bytes of memory", cap(r.buf))
	}
	if len(r.buf) < maxRecent {
		t.Errorf("only %d bytes are kept", len(r.buf))
	}
	r.add(strings.Repeat("y", 5*maxRecent) + "the end")
	if r.search(); len(r.buf) > 2*maxRecent || !r.find("the end") {
		t.Errorf("after one piece above the bound %d bytes are kept, without its end", len(r.buf))
	}
}
