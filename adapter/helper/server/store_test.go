//go:build linux

package server

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// frames are what a reader got, as text: a letter for the stream, and the bytes.
func frames(t *testing.T, in io.Reader) string {
	t.Helper()
	var b strings.Builder
	for {
		p, err := helper.ReadOutput(in)
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%c:%s|", p.Stream[3], p.Data)
	}
}

func TestAStoreKeepsTheNewestAndSaysHowMuchIsMissing(t *testing.T) {
	s := newStore(50_000, 1000)
	for i := range 100 {
		s.put("stdout", bytes.Repeat([]byte{byte('a' + i%26)}, 1000)) // nobody is there: it never waits
	}
	s.put("stderr", []byte("the end"))
	var got bytes.Buffer
	s.copy(&got, false, false)
	text := frames(t, &got)
	var missing int
	if _, err := fmt.Sscanf(text, "e:\nenvoydbg: %d bytes", &missing); err != nil {
		t.Fatalf("%v in %.200q", err, text)
	}
	// Whole pieces are dropped.
	if least := 100_007 - 50_000; missing < least || missing > least+helper.MaxOutput || !strings.HasSuffix(text, "|e:the end|") {
		t.Errorf("%d bytes are missing, at the end %q", missing, text[len(text)-20:])
	}
}

// A reader that has taken the beginning of a piece gets the rest of it, when more has
// been joined to it.
func TestAStoreJoinsPiecesUnderItsReaders(t *testing.T) {
	s := newStore(1<<20, 1<<20)
	s.put("stdout", []byte("one "))
	p, next, _ := s.take(0, false, false)
	if string(p.Data) != "one " {
		t.Errorf("first %q", p.Data)
	}
	s.put("stdout", []byte("two"))
	if p, next, _ = s.take(next, false, false); string(p.Data) != "two" {
		t.Errorf("then %q", p.Data)
	}
	if _, _, ok := s.take(next, false, false); ok || s.total() != 7 {
		t.Errorf("more at the end; total %d", s.total())
	}
}

// The agent waits for an adapter that is there, and only for that.
func TestAStoreHoldsTheAgentBackOnlyForAnAdapterThatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(1<<20, 100)
		s.connected(true)
		wrote := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 10 {
				s.put("stdout", make([]byte, 50))
				wrote++
			}
		}()
		synctest.Wait()
		if wrote != 2 {
			t.Errorf("%d pieces were put beyond what the adapter has taken, want 2", wrote)
		}
		p, next, _ := s.take(0, true, true)
		_, _, _ = s.take(next, true, true) // which says that it has the first one
		synctest.Wait()
		if len(p.Data) != 100 || wrote != 4 {
			t.Errorf("%d bytes were taken, then %d pieces put, want 100 and 4", len(p.Data), wrote)
		}
		s.connected(false)
		<-done
	})
}
