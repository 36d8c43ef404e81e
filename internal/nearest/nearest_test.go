package nearest

import (
	"slices"
	"strings"
	"testing"
)

func TestDistancesOfNames(t *testing.T) {
	for _, c := range []struct {
		word, name string
		want       int // -1: no resemblance
	}{
		{"server.cc", "server.cc", 0},
		{"Server.cc", "server.CC", 0},
		{"sever.cc", "server.cc", 1},
		{"serverr.cc", "server.cc", 1},
		{"sevrer.cc", "server.cc", 1},
		{"sarver.cc", "server.cc", 1},
		{"sarwer.cc", "server.cc", 2},
		{"initialise", "initialize", 1},
		{"main.cc", "server.cc", -1},
		{"x", "y", -1},
		{"x", "xyz", -1},
		{"", "", 0},
		{"a\xff", "a\xfe", 1},
		{strings.Repeat("n", maxName+1), strings.Repeat("n", maxName+1), -1},
		{strings.Repeat("n", maxName), strings.Repeat("n", maxName-1), 1},
	} {
		for _, reverse := range []bool{false, true} {
			word, name := c.word, c.name
			if reverse {
				word, name = name, word
			}
			got, ok := Distance(Of(word), []byte(name))
			if !ok {
				got = -1
			}
			if got != c.want {
				t.Errorf("from %q to %q: %d, want %d", word, name, got, c.want)
			}
		}
	}
}

func TestTheNearestComeFirst(t *testing.T) {
	names := []string{"worker.cc", "serve.cc", "sever.cc", "server.cc", "server.h", "options.cc"}
	if got, want := Among("sevver.cc", names, 2), []string{"sever.cc", "server.cc"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := Among("sever.cc", names, 5), []string{"sever.cc", "server.cc"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v; the others are much farther", got, want)
	}
	if got := Among("nothing_like_it.cc", names, 2); len(got) != 0 {
		t.Errorf("got %v, want none", got)
	}
}

func BenchmarkDistance(b *testing.B) {
	w := Of("initialise")
	names := [][]byte{[]byte("initialize"), []byte("InstanceImpl"), []byte("setLogLevel"), []byte("x"), []byte("imitates")}
	for b.Loop() {
		for _, n := range names {
			Distance(w, n)
		}
	}
}
