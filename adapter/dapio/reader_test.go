package dapio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime/metrics"
	"strings"
	"testing"
	"testing/iotest"
)

func frame(content string) string {
	return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(content), content)
}

// readAll reads to the end of the stream, stepping over contents that are no
// message as the adapter does with lldb-dap, and returns the messages, the
// noise, and how the stream ended.
func readAll(r *Reader) (messages []string, ended error) {
	for {
		m, err := r.Next()
		switch {
		case errors.Is(err, ErrNotDAP) && r.Noise != nil:
		case err != nil:
			return messages, err
		default:
			messages = append(messages, string(m.Raw))
		}
	}
}

// A debugger that crashes or prints does so where its messages are.
func TestNoiseIsToldApartFromMessages(t *testing.T) {
	const a, b = `{"seq":1,"type":"event"}`, `{"seq":2,"type":"event"}`
	const crash = "terminate called without an active exception\n"
	for _, test := range []struct{ name, stream, noise string }{
		{"none", frame(a) + frame(b), ""},
		{"before", crash + frame(a) + frame(b), crash},
		{"right before a header, on its line", "terminate called" + frame(a) + frame(b), "terminate called"},
		{"between", frame(a) + crash + crash + frame(b), crash + crash},
		{"between, on the header's line", frame(a) + "abort" + frame(b), "abort"},
		{"behind", frame(a) + frame(b) + crash, crash},
		{"behind, without an end of line", frame(a) + frame(b) + "Aborted", "Aborted"},
		{"empty lines", "\r\n\n" + frame(a) + "\n" + frame(b), "\r\n\n\n"},
		{"within a header", frame(a) + fmt.Sprintf("Content-Length: %d\r\n%s\r\n%s", len(b), crash, b), ""},
		{"a header cut off by another one", "Content-Length: 4" + frame(a) + frame(b), "Content-Length: 4"},
		{"a length that is none", "Content-Length: \r\n\r\n" + frame(a) + frame(b), "Content-Length: \r\n\r\n"},
		{"a negative length", frame(a) + "Content-Length: -5\r\n\r\n" + frame(b), "Content-Length: -5\r\n\r\n"},
		{"a length beyond 64 bits", "Content-Length: 99999999999999999999\r\n" + frame(a) + frame(b), "Content-Length: 99999999999999999999\r\n"},
		{"a length in letters", "Content-Length: 0x10\r\n\r\n" + frame(a) + frame(b), "Content-Length: 0x10\r\n\r\n"},
		{"another header field", "Content-Type: x\r\n" + frame(a) + frame(b), "Content-Type: x\r\n"},
		{"bare line feeds", strings.ReplaceAll(frame(a)+frame(b), "\r", ""), ""},
		{"content that is no message", frame("[]") + frame(a) + frame("oops") + frame(b), ""},
		{"a line longer than the buffer", strings.Repeat("x", 3*maxHeader) + frame(a) + frame(b), strings.Repeat("x", 3*maxHeader)},
	} {
		t.Run(test.name, func(t *testing.T) {
			var noise strings.Builder
			r := NewReader(strings.NewReader(test.stream))
			r.Noise = func(p []byte) { noise.Write(p) }
			got, err := readAll(r)
			if err != io.EOF || len(got) != 2 || got[0] != a || got[1] != b {
				t.Errorf("read %q, %v", got, err)
			}
			if noise.String() != test.noise {
				t.Errorf("noise %.300q\n want %.300q", noise.String(), test.noise)
			}
		})
	}
}

// A header is found at whatever offset of the buffer the noise before it ends.
func TestNoHeaderIsLostAtTheEndOfTheBuffer(t *testing.T) {
	const a = `{"seq":1}`
	for before := maxHeader - 2*len(frame(a)); before <= maxHeader+2; before++ {
		noise := 0
		r := NewReader(strings.NewReader(strings.Repeat("x", before) + frame(a)))
		r.Noise = func(p []byte) { noise += len(p) }
		if got, err := readAll(r); len(got) != 1 || err != io.EOF || noise != before {
			t.Fatalf("after %d bytes of noise: read %q, %v, noise %d", before, got, err, noise)
		}
	}
}

func TestTheBytesMayComeOneByOne(t *testing.T) {
	const a = `{"seq":1,"x":"\r\nContent-Length: 3\r\n\r\n"}`
	r := NewReader(iotest.OneByteReader(strings.NewReader("noise\nmore" + frame(a) + frame(a))))
	var noise strings.Builder
	r.Noise = func(p []byte) { noise.Write(p) }
	if got, err := readAll(r); len(got) != 2 || err != io.EOF || noise.String() != "noise\nmore" {
		t.Errorf("read %q, %v, noise %q", got, err, noise.String())
	}
}

// A client's stream holds messages only; the first other byte is an error.
func TestWithoutNoiseEverythingElseIsAnError(t *testing.T) {
	for _, test := range []struct {
		name, stream string
		want         error
	}{
		{"text", "GET / HTTP/1.1\r\n\r\n", ErrNotDAP},
		{"text without an end", "hello", ErrNotDAP},
		{"text before a header", "x" + frame("{}"), ErrNotDAP},
		{"a long line", strings.Repeat("x", 2*maxHeader), ErrNotDAP},
		{"a long header", "Content-Length: 2" + strings.Repeat(" ", 2*maxHeader) + "\r\n\r\n{}", ErrNotDAP},
		{"a negative length", "Content-Length: -1\r\n\r\n", ErrNotDAP},
		{"a length that is none", "Content-Length: many\r\n\r\n", ErrNotDAP},
		{"10^18 bytes", "Content-Length: 1000000000000000000\r\n\r\n{}", ErrTooLarge},
		{"one byte too many", fmt.Sprintf("Content-Length: %d\r\n\r\n{}", MaxContent+1), ErrTooLarge},
		{"content that is no JSON", frame("{]"), ErrNotDAP},
		{"no content", frame(""), ErrNotDAP},
		{"nothing", "", io.EOF},
		{"the end in a header", "Content-Length: 5\r\n", io.ErrUnexpectedEOF},
		{"the end before the content", "Content-Length: 5\r\n\r\n", io.ErrUnexpectedEOF},
		{"the end in the content", "Content-Length: 5\r\n\r\n{}", io.ErrUnexpectedEOF},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := NewReader(strings.NewReader(test.stream)).Next()
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, %v; want %v", m, err, test.want)
			}
			if test.want == io.ErrUnexpectedEOF && err == io.EOF {
				t.Error("a cut message looks like the end of the stream")
			}
		})
	}
}

func TestAReadErrorIsPassedOn(t *testing.T) {
	broken := errors.New("broken")
	for _, before := range []string{"", "Content-Length: 5\r\n", "Content-Length: 5\r\n\r\n{"} {
		r := NewReader(io.MultiReader(strings.NewReader(before), iotest.ErrReader(broken)))
		if m, err := r.Next(); !errors.Is(err, broken) {
			t.Errorf("after %q: got %v, %v", before, m, err)
		}
	}
}

// allocated is the number of bytes ever allocated on the heap.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// A header may promise 512 MiB; memory is only spent on what arrives.
func TestMemoryFollowsWhatArrivesNotWhatIsPromised(t *testing.T) {
	before := allocated()
	_, err := NewReader(strings.NewReader(fmt.Sprintf("Content-Length: %d\r\n\r\n{}", MaxContent))).Next()
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
	if spent := allocated() - before; spent > 2<<20 {
		t.Errorf("%d bytes were allocated for a message of 2", spent)
	}
}

// go-dap's reader stops at 4 MiB; a disassembly can be larger.
func TestLargeMessagesPass(t *testing.T) {
	for _, size := range []int{4<<20 + 1, 8 << 20, 100 << 20} {
		t.Run(fmt.Sprintf("%d MiB", size>>20), func(t *testing.T) {
			head, tail := []byte(`{"seq":1,"type":"event","event":"output","x":"`), []byte(`","percentage":0}`)
			content := bytes.Join([][]byte{head, bytes.Repeat([]byte("a"), size-len(head)-len(tail)), tail}, nil)
			in, out := io.Pipe()
			w := NewWriter(out)
			m, err := Parse(content)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Forward(m, 0, nil); err != nil {
				t.Fatal(err)
			}
			got, err := NewReader(in).Next()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Raw, content) {
				t.Errorf("%d bytes came out changed, as %d", len(content), len(got.Raw))
			}
			w.Close()
			<-w.Done()
		})
	}
}
