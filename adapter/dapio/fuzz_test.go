package dapio

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

// FuzzReader reads arbitrary bytes as a client's stream and as lldb-dap's.
func FuzzReader(f *testing.F) {
	for _, stream := range []string{
		"",
		framed(`{"seq":1,"type":"request","command":"initialize","arguments":{"adapterID":"envoy"}}`),
		framed(`{"seq":1}`) + "terminate called without an active exception\n" + framed(`{"seq":2}`),
		"terminate called" + framed(`{"seq":1}`),
		"Content-Length: 5\r\nterminate\nContent-Length: 2\r\n\r\n{}",
		"Content-Length: -1\r\n\r\n{}",
		"Content-Length: 1000000000000000000\r\n\r\n{}",
		"Content-Length: 99999999999999999999999\r\n\r\n{}",
		"Content-Length: 100\r\n\r\n{}",
		"Content-Length: 2\n\n{}Content-Length:2\r\nContent-Type: x\r\n\r\n[]",
		framed(strings.Repeat("[", 300)),
	} {
		f.Add([]byte(stream))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		for _, withNoise := range []bool{false, true} {
			before := allocated()
			r := NewReader(bytes.NewReader(stream))
			seen := 0
			if withNoise {
				r.Noise = func(p []byte) { seen += len(p) }
			}
			// Each round takes a header at least, so the rounds are bounded.
			for round := 0; ; round++ {
				if round > len(stream) {
					t.Fatalf("%d messages in %d bytes", round, len(stream))
				}
				m, err := r.Next()
				if errors.Is(err, ErrNotDAP) && withNoise {
					continue
				}
				if err != nil {
					if !withNoise && err == io.EOF && round == 0 && len(bytes.Trim(stream, "\r\n")) > 0 {
						t.Fatalf("%d bytes were lost without a word", len(stream))
					}
					break
				}
				seen += len(m.Raw)
				if !bytes.Contains(stream, m.Raw) {
					t.Fatalf("a message that was not in the stream: %q", m.Raw)
				}
			}
			if seen > len(stream) {
				t.Fatalf("%d bytes came out of %d", seen, len(stream))
			}
			if spent := allocated() - before; spent > uint64(4<<20+64*len(stream)) {
				t.Fatalf("%d bytes were allocated for %d", spent, len(stream))
			}
		}
	})
}

// FuzzMessage holds Parse and the renumbering against encoding/json.
func FuzzMessage(f *testing.F) {
	for _, raw := range []string{
		`{}`,
		` { } `,
		`{"seq":3,"type":"request","command":"threads"}`,
		`{"request_seq":1,"seq":2,"type":"response","success":true,"command":"next","body":{"seq":1}}`,
		`{"type":"event","event":"progressUpdate","body":{"percentage":0},"seq":10}`,
		`{"seq":1,"a":1,"seq":2,"request_seq":null,"request_seq":"x"}`,
		`{"\u0073eq":1e400,"type":"\ud800","x":123456789012345678901234567890}`,
		`{"seq":{"a":[1,"}"]},"type":[],"event":{}}`,
		`{"seq":-0,"request_seq":true}`,
		`{"a":[1,2.5,-0.1e+3,true,false,null,"\u00e9\\\"",{"b":{}},[]],"type":"event"}`,
		"{\"a\" : [ ] , \"b\":\t{ \"c\" :\r\n1E9 } }",
		`{"a":01}`, `{"a":1.}`, `{"a":-}`, `{"a":"\x"}`, `{"a":tru}`, `{"a":[1,]}`, `{"a" 1}`, `{a:1}`, `null`,
	} {
		f.Add([]byte(raw), int64(1), int64(-1))
	}
	f.Fuzz(func(t *testing.T, raw []byte, seq, requestSeq int64) {
		m, err := Parse(raw)
		var was map[string]json.RawMessage
		if want := json.Unmarshal(raw, &was); (err == nil) != (want == nil && was != nil) {
			t.Fatalf("%q: %v, and encoding/json: %v", raw, err, want)
		}
		if err != nil {
			if !errors.Is(err, ErrNotDAP) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		out := m.splice(nil, m.renumber(seq, requestSeq))
		var is map[string]json.RawMessage
		if err := json.Unmarshal(out, &is); err != nil {
			t.Fatalf("%q became %q: %v", raw, out, err)
		}
		again, err := Parse(out)
		if err != nil || again.Seq != seq {
			t.Fatalf("%q became %q: %+v, %v", raw, out, again, err)
		}
		if _, had := was["request_seq"]; had && again.RequestSeq != requestSeq {
			t.Fatalf("%q became %q: request_seq %d, want %d", raw, out, again.RequestSeq, requestSeq)
		}
		if again.Type != m.Type || again.Name != m.Name || again.Success != m.Success {
			t.Fatalf("%q became %q: %+v, was %+v", raw, out, again, m)
		}
		for name, value := range was {
			if name != "seq" && name != "request_seq" && !bytes.Equal(is[name], value) {
				t.Fatalf("%q became %q: %q changed", raw, out, name)
			}
		}
		if got, want := without(again), without(m); m.seq.Raw != "" && !bytes.Equal(got, want) {
			t.Fatalf("%q became %q", raw, out)
		}
	})
}

// without is the message without its two numbers.
func without(m *Message) []byte {
	return m.splice(nil, m.fitting([]Edit{Replace(m.seq, nil), Replace(m.requestSeq, nil)}))
}

// FuzzEdits patches messages: whatever is asked for, what comes out is a message,
// and nothing panics.
func FuzzEdits(f *testing.F) {
	const raw = `{"seq":1,"type":"response","body":{"a":[{"path":"/x"},{"path":"/y"}],"e":{ },"x":1e2},"command":"c"}`
	// Paths are the adapter's own, and never a peer's.
	list := []string{"body.a.0.path", "body.a.1", "body.a.#.path", "body.e", "body", "seq", "body.y", "body.a.-1", "body.a.9.z",
		"@this", "@reverse", "body.a.#(path==\"/y\").path", "body.*", "", ".", "..", "\\", "body|x", "{seq,type}", "{seqt,ype}", "[seq]", "body.a|@ugly", "#"}
	for n := range list {
		f.Add([]byte(raw), uint8(n), uint8(0), `"z"`)
		f.Add([]byte(raw), uint8(0), uint8(n), "{}")
	}
	f.Fuzz(func(t *testing.T, raw []byte, first, second uint8, value string) {
		m, err := Parse(raw)
		if err != nil {
			return
		}
		path, other := list[int(first)%len(list)], list[int(second)%len(list)]
		a, b := m.Get(path), m.Get(other)
		for _, edits := range [][]Edit{
			{Replace(a, []byte(value)), InsertInto(b, []byte(`"k":`+value)), Replace(b, []byte(value))},
			{InsertInto(b, []byte(`"k":`+value)), {}, InsertInto(a, []byte(`"l":1`)), InsertInto(a.Get(other), []byte(`"m":1`))},
		} {
			got := m.Apply(edits)
			if json.Valid([]byte(value)) && !json.Valid(got.Raw) {
				t.Fatalf("%q became %q", m.Raw, got.Raw)
			}
		}
		for _, change := range []func() (*Message, error){
			func() (*Message, error) { return m.Set(path, []byte(value)) },
			func() (*Message, error) { return m.Delete(path) },
		} {
			if got, err := change(); err == nil && !json.Valid(got.Raw) {
				t.Fatalf("%q became %q", m.Raw, got.Raw)
			}
		}
		if !bytes.Equal(m.Raw, raw) {
			t.Fatalf("the message itself has changed: %q", m.Raw)
		}
	})
}
