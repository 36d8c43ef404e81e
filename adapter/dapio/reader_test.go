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

func framed(content string) string {
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
		{"none", framed(a) + framed(b), ""},
		{"before", crash + framed(a) + framed(b), crash},
		{"right before a header, on its line", "terminate called" + framed(a) + framed(b), "terminate called"},
		{"between", framed(a) + crash + crash + framed(b), crash + crash},
		{"between, on the header's line", framed(a) + "abort" + framed(b), "abort"},
		{"behind", framed(a) + framed(b) + crash, crash},
		{"behind, without an end of line", framed(a) + framed(b) + "Aborted", "Aborted"},
		{"empty lines", "\r\n\n" + framed(a) + "\n" + framed(b), "\r\n\n\n"},
		{"within a header", framed(a) + fmt.Sprintf("Content-Length: %d\r\n%s\r\n%s", len(b), crash, b), crash},
		{"a header cut off by another one", "Content-Length: 4" + framed(a) + framed(b), "Content-Length: 4"},
		{"a length that is none", "Content-Length: \r\n\r\n" + framed(a) + framed(b), "Content-Length: \r\n\r\n"},
		{"a negative length", framed(a) + "Content-Length: -5\r\n\r\n" + framed(b), "Content-Length: -5\r\n\r\n"},
		{"two lengths: the last counts", "Content-Length: 4\r\n" + framed(a) + framed(b), ""},
		{"a length and one that is none", "Content-Length: 4\r\nContent-Length: x\r\n" + framed(a) + framed(b), "Content-Length: x\r\n"},
		{"a length in letters", "Content-Length: 0x10\r\n\r\n" + framed(a) + framed(b), "Content-Length: 0x10\r\n\r\n"},
		{"another header field", "Content-Type: x\r\n" + framed(a) + framed(b), "Content-Type: x\r\n"},
		{"bare line feeds", strings.ReplaceAll(framed(a)+framed(b), "\r", ""), ""},
		{"content that is no message", framed("[]") + framed(a) + framed("oops") + framed(b), ""},
		{"no content", "Content-Length: 0\r\n\r\n" + framed(a) + framed(b), ""},
		{"a length and more", "Content-Length: 24~\r\n" + framed(a) + framed(b), "Content-Length: 24~\r\n"},
		{"a header's line longer than the buffer", "Content-Length: 24" + strings.Repeat(" ", 3*maxHeader) + framed(a) + framed(b), "Content-Length: 24" + strings.Repeat(" ", 3*maxHeader)},
		{"a line longer than the buffer", strings.Repeat("x", 3*maxHeader) + framed(a) + framed(b), strings.Repeat("x", 3*maxHeader)},
		{"a header in another case", "content-length: 5\r\n" + framed(a) + framed(b), "content-length: 5\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var noise strings.Builder
			r := NewReader(strings.NewReader(test.stream))
			r.Noise = func(p []byte) {
				if noise.Write(p); len(p) == 0 {
					t.Error("empty noise")
				}
			}
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
	for before := maxHeader - 2*len(framed(a)); before <= maxHeader+2; before++ {
		noise := 0
		r := NewReader(strings.NewReader(strings.Repeat("x", before) + framed(a)))
		r.Noise = func(p []byte) { noise += len(p) }
		if got, err := readAll(r); len(got) != 1 || err != io.EOF || noise != before {
			t.Fatalf("after %d bytes of noise: read %q, %v, noise %d", before, got, err, noise)
		}
	}
}

func TestTheBytesMayComeOneByOne(t *testing.T) {
	const a = `{"seq":1,"x":"\r\nContent-Length: 3\r\n\r\n"}`
	r := NewReader(iotest.OneByteReader(strings.NewReader("noise\nmore" + framed(a) + framed(a))))
	var noise strings.Builder
	r.Noise = func(p []byte) { noise.Write(p) }
	if got, err := readAll(r); len(got) != 2 || err != io.EOF || noise.String() != "noise\nmore" {
		t.Errorf("read %q, %v, noise %q", got, err, noise.String())
	}
}

// A client may write a header as HTTP allows it.
func TestAHeaderIsReadAsHTTPReadsOne(t *testing.T) {
	const a, b = `{"seq":1,"type":"event"}`, `{"seq":2,"type":"event"}`
	for name, header := range map[string]string{
		"as in the specification": "Content-Length: 24\r\n\r\n",
		"lower case":              "content-length: 24\r\n\r\n",
		"upper case":              "CONTENT-LENGTH: 24\r\n\r\n",
		"no space":                "Content-Length:24\r\n\r\n",
		"more space":              "Content-Length: \t 24 \t\r\n\r\n",
		"zeros in front":          "Content-Length: 0024\r\n\r\n",
		"an unknown field first":  "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 24\r\n\r\n",
		"an unknown field last":   "Content-Length: 24\r\nX_9!#$%&'*+-.^`|~: \xff\r\n\r\n",
		"an unknown field alike":  "Content-Length-X: 5\r\nX-Content-Length: 5\r\nContent-Length: 24\r\n\r\n",
		"names at the bounds":     "azAZ09: x\r\nContent-Length: 24\r\n\r\n",
		"an empty field":          "X:\r\nContent-Length: 24\r\n\r\n",
		"empty lines before":      "\r\n\n\r\nContent-Length: 24\r\n\r\n",
		"bare line feeds":         "Content-Type: x\nContent-Length: 24\n\n",
		"as long as it may be":    "Content-Length: 24\r\nX: " + strings.Repeat("x", maxHeader-len("Content-Length: 24\r\nX: \r\n")) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			stream := header + a + header + b
			for way, r := range map[string]*Reader{
				"at once":      NewReader(strings.NewReader(stream)),
				"byte by byte": NewReader(iotest.OneByteReader(strings.NewReader(stream))),
			} {
				if got, err := readAll(r); err != io.EOF || len(got) != 2 || got[0] != a || got[1] != b {
					t.Errorf("%s: read %q, %v", way, got, err)
				}
			}
		})
	}
}

// A client's stream holds messages only; the first other byte is an error.
func TestWithoutNoiseEverythingElseIsAnError(t *testing.T) {
	for _, test := range []struct {
		name, stream string
		want         error
		text         string
	}{
		{"text", "GET / HTTP/1.1\r\n\r\n", ErrNotDAP, `"GET / HTTP/1.1"`},
		{"a line", "hello\n", ErrNotDAP, `"hello"`},
		{"text before a header", "x" + framed("{}") + "x", ErrNotDAP, "without Content-Length"},
		{"no name", ": 5\r\n", ErrNotDAP, `":"`},
		{"a space in the name", "Content-Length : 2\r\n\r\n{}", ErrNotDAP, `"Content-Length : 2"`},
		{"a folded line", "X: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{}", ErrNotDAP, `" 2"`},
		{"a letter beyond ASCII in the name", "Contént: 2\r\n", ErrNotDAP, "Cont"},
		{"a long line", strings.Repeat("x", 2*maxHeader), ErrNotDAP, "more than 65536 bytes"},
		{"a long header", "Content-Length: 2" + strings.Repeat(" ", 2*maxHeader) + "\r\n\r\n{}", ErrNotDAP, "more than 65536 bytes"},
		{"one byte more than may be", "X: " + strings.Repeat("x", maxHeader-len("X: ")-len("\r\nContent-Length: 2\r\n")+1) + "\r\nContent-Length: 2\r\n\r\n{}", ErrNotDAP, "more than 65536 bytes"},
		{"a header without an end", strings.Repeat("X: 1\r\n", maxHeader), ErrNotDAP, "more than 65536 bytes"},
		{"no length", "Content-Type: x\r\n\r\n{}", ErrNotDAP, "without Content-Length"},
		{"a negative length", "Content-Length: -1\r\n\r\n", ErrNotDAP, `Content-Length "-1"`},
		{"a length with a sign", "Content-Length: +2\r\n\r\n{}", ErrNotDAP, `Content-Length "+2"`},
		{"a length that is none", "Content-Length: many\r\n\r\n", ErrNotDAP, `Content-Length "many"`},
		{"an empty length", "Content-Length: \r\n\r\n", ErrNotDAP, `Content-Length ""`},
		{"a length and more", "Content-Length: 2~\r\n\r\n{}", ErrNotDAP, `Content-Length "2~"`},
		{"the length 0 and another", "Content-Length: 0\r\nContent-Length: 2\r\n\r\n{}", ErrNotDAP, "Content-Length twice"},
		{"two lengths in one field", "Content-Length: 2, 2\r\n\r\n{}", ErrNotDAP, `Content-Length "2, 2"`},
		{"two lengths that differ", "Content-Length: 2\r\ncontent-length: 3\r\n\r\n{} ", ErrNotDAP, "Content-Length twice"},
		{"the same length twice", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", ErrNotDAP, "Content-Length twice"},
		{"10^18 bytes", "Content-Length: 1000000000000000000\r\n\r\n{}", ErrTooLarge, "1000000000000000000"},
		{"10^30 bytes", "Content-Length: 1" + strings.Repeat("0", 30) + "\r\n\r\n{}", ErrTooLarge, "1" + strings.Repeat("0", 30)},
		{"one byte too many", fmt.Sprintf("Content-Length: %d\r\n\r\n{}", MaxContent+1), ErrTooLarge, "536870913"},
		{"content that is no JSON", framed("{]"), ErrNotDAP, "content of 2 bytes: invalid character ']'"},
		{"content that is no object", framed("[]"), ErrNotDAP, "content of 2 bytes is no JSON object"},
		{"no content", framed(""), ErrNotDAP, "content of 0 bytes"},
		{"nothing", "", io.EOF, ""},
		{"empty lines", "\r\n\n", io.EOF, ""},
		{"half a line", "hello", io.ErrUnexpectedEOF, `"hello"`},
		{"half an empty line", "\r", io.ErrUnexpectedEOF, `"\r"`},
		{"the end in a header", "Content-Length: 5\r\n", io.ErrUnexpectedEOF, "within its header"},
		{"the end before the content", "Content-Length: 5\r\n\r\n", io.ErrUnexpectedEOF, "after 0 of 5 bytes"},
		{"the end in the content", "Content-Length: 5\r\n\r\n{}", io.ErrUnexpectedEOF, "after 2 of 5 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, err := NewReader(strings.NewReader(test.stream)).Next()
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) || len(err.Error()) > 300 {
				t.Errorf("got %v, %v; want %v with %q", m, err, test.want, test.text)
			}
			if (err == io.EOF) != (test.want == io.EOF) {
				t.Error("a cut message looks like the end of the stream")
			}
		})
	}
}

// The client of another protocol may never end its line; it is told all the same.
func TestWhatIsNoHeaderIsToldBeforeItsLineEnds(t *testing.T) {
	for _, begin := range []string{`{"seq":1,"type":"request"`, "GET /", "\x16\x03\x01", "Content-Length ", "\rx"} {
		in, out := io.Pipe()
		failed := make(chan error, 1)
		go func() {
			_, err := NewReader(in).Next()
			failed <- err
			_ = in.Close()
		}()
		for i := range begin {
			if _, err := out.Write([]byte(begin[i : i+1])); err != nil {
				break
			}
		}
		if err := wait(t, failed, "the error about "+begin); !errors.Is(err, ErrNotDAP) {
			t.Errorf("%q: got %v", begin, err)
		}
	}
}

// lldb-dap's stream, too, ends well only between two messages.
func TestNoiseAtTheEndOfTheStream(t *testing.T) {
	for _, test := range []struct {
		name, stream, noise string
		want                error
	}{
		{"half a line", "Abort", "Abort", io.EOF},
		{"half a header's line and no more", "Content-Length: 5", "", io.ErrUnexpectedEOF},
		{"half the header of an empty message", "Content-Length: 0\r\n", "", io.ErrUnexpectedEOF},
		{"half a header's line", "Abort\nterminateContent-Length: 5", "Abort\nterminate", io.ErrUnexpectedEOF},
		{"half a header", "Content-Length: 5\r\n", "", io.ErrUnexpectedEOF},
		{"text within the header", "Content-Length: 5\r\nAbort", "Abort", io.ErrUnexpectedEOF},
		{"half the content", "Content-Length: 5\r\n\r\n{", "", io.ErrUnexpectedEOF},
		{"a length too large", "xContent-Length: 536870913\r\n\r\n{", "x", ErrTooLarge},
	} {
		var noise strings.Builder
		r := NewReader(strings.NewReader(test.stream))
		r.Noise = func(p []byte) { noise.Write(p) }
		m, err := r.Next()
		if !errors.Is(err, test.want) || (err == io.EOF) != (test.want == io.EOF) || noise.String() != test.noise {
			t.Errorf("%s: got %v, %v, noise %q; want %v, noise %q", test.name, m, err, noise.String(), test.want, test.noise)
		}
	}
}

func TestAReadErrorIsPassedOn(t *testing.T) {
	broken := errors.New("broken")
	for _, before := range []string{"", "Content-Length: 5\r\n", "Content-Length: 5\r\n\r\n{"} {
		r := NewReader(io.MultiReader(strings.NewReader(before), iotest.ErrReader(broken)))
		if m, err := r.Next(); !errors.Is(err, broken) {
			t.Errorf("after %q: got %v, %v", before, m, err)
		}
		r = NewReader(io.MultiReader(strings.NewReader("noise"+before), iotest.ErrReader(broken)))
		noise := ""
		r.Noise = func(p []byte) { noise += string(p) }
		if m, err := r.Next(); !errors.Is(err, broken) || noise != "noise" {
			t.Errorf("after noise and %q: got %v, %v, noise %q", before, m, err, noise)
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
	if spent := allocated() - before; spent > 16<<20 {
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
