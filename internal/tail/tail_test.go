package tail

import (
	"strings"
	"testing"
)

func TestTheTailKeepsTheEnd(t *testing.T) {
	var tail Tail
	for range 1000 {
		if n, err := tail.Write([]byte("0123456789")); n != 10 || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	if _, err := tail.Write([]byte("the end\n")); err != nil {
		t.Fatal(err)
	}
	if got := tail.String(); len(got) > kept || !strings.HasSuffix(got, "789the end") {
		t.Errorf("%d bytes, at the end %q", len(got), got[max(0, len(got)-20):])
	}
}
