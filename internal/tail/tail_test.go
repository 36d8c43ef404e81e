package tail

import (
	"strings"
	"testing"
)

func write(t *testing.T, tail *Tail, text string) {
	t.Helper()
	if n, err := tail.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
}

func TestTheTailKeepsTheBeginningAndTheEnd(t *testing.T) {
	var tail Tail
	write(t, &tail, "\nthe reason\n")
	for range 5000 {
		write(t, &tail, "0123456789")
	}
	write(t, &tail, "the end\n")
	got := tail.String()
	if len(got) > keptFirst+keptLast+len("\n…\n") || !strings.HasPrefix(got, "the reason\n0") || !strings.HasSuffix(got, "789the end") ||
		strings.Count(got, "\n…\n") != 1 {
		t.Errorf("%d bytes, %q … %q", len(got), got[:min(20, len(got))], got[max(0, len(got)-20):])
	}
}

func TestWhatFitsIsKeptWhole(t *testing.T) {
	for _, size := range []int{0, 1, keptFirst, keptFirst + 1, keptFirst + keptLast} {
		var tail Tail
		want := strings.Repeat("x", size)
		for rest := want; rest != ""; {
			n := min(len(rest), 1000)
			write(t, &tail, rest[:n])
			rest = rest[n:]
		}
		if got := tail.String(); got != want {
			t.Errorf("%d bytes became %d", size, len(got))
		}
	}
}
