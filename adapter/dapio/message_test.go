package dapio

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// The header fields are found wherever they stand, and renumbering changes
// nothing else.
func TestRenumberingKeepsEveryOtherByte(t *testing.T) {
	for _, test := range []struct {
		name, raw, want   string
		typ, command      string
		seq, requestSeq   int64
		newSeq, newAnswer int64
	}{
		{"a request", `{"seq":3,"type":"request","command":"threads"}`, `{"seq":41,"type":"request","command":"threads"}`,
			Request, "threads", 3, 0, 41, 0},
		{"a response", `{"seq":9,"type":"response","request_seq":3,"success":true,"command":"threads","body":{}}`,
			`{"seq":1,"type":"response","request_seq":700,"success":true,"command":"threads","body":{}}`,
			Response, "threads", 9, 3, 1, 700},
		{"an event", `{"event":"stopped","seq":5,"type":"event"}`, `{"event":"stopped","seq":6,"type":"event"}`,
			Event, "stopped", 5, 0, 6, 0},
		{"seq behind the body", `{"type":"event","event":"output","body":{"seq":8,"request_seq":9},"seq":10}`,
			`{"type":"event","event":"output","body":{"seq":8,"request_seq":9},"seq":2}`,
			Event, "output", 10, 0, 2, 0},
		{"request_seq before seq, and longer numbers", `{"request_seq":1,"seq":2,"type":"response","command":"next"}`,
			`{"request_seq":1000000,"seq":2000000,"type":"response","command":"next"}`,
			Response, "next", 2, 1, 2000000, 1000000},
		{"shorter numbers", `{"request_seq":1000000,"seq":2000000,"type":"response","command":"next"}`,
			`{"request_seq":1,"seq":2,"type":"response","command":"next"}`,
			Response, "next", 2000000, 1000000, 2, 1},
		{"no seq", `{"type":"event","event":"initialized"}`, `{"seq":7,"type":"event","event":"initialized"}`,
			Event, "initialized", 0, 0, 7, 0},
		{"no seq, with space", " \n{ \"type\" : \"event\" } ", " \n{\"seq\":7, \"type\" : \"event\" } ",
			Event, "", 0, 0, 7, 0},
		{"no field at all", ` { } `, ` {"seq":7 } `, "", "", 0, 0, 7, 0},
		{"whitespace", "\t{ \"seq\" :\r\n 12 ,\n \"type\":\"request\" , \"command\" : \"next\" }\n",
			"\t{ \"seq\" :\r\n 3 ,\n \"type\":\"request\" , \"command\" : \"next\" }\n", Request, "next", 12, 0, 3, 0},
		{"unknown fields, zeros and nulls", `{"seq":1,"type":"event","event":"progressUpdate","body":{"percentage":0,"x":null,"canRestart":false},"$__lldb":[1.0,1e2]}`,
			`{"seq":2,"type":"event","event":"progressUpdate","body":{"percentage":0,"x":null,"canRestart":false},"$__lldb":[1.0,1e2]}`,
			Event, "progressUpdate", 1, 0, 2, 0},
		{"duplicate keys: the last counts", `{"seq":1,"a":1,"seq":2,"a":2}`, `{"seq":1,"a":1,"seq":5,"a":2}`, "", "", 2, 0, 5, 0},
		{"keys and values in escapes", `{"\u0073eq":1,"type":"\u0065vent","event":"out\u0070ut","body":{"output":"\ud83d\ude00\/\n\u0000"}}`,
			`{"\u0073eq":4,"type":"\u0065vent","event":"out\u0070ut","body":{"output":"\ud83d\ude00\/\n\u0000"}}`,
			Event, "output", 1, 0, 4, 0},
		{"numbers too large for 64 bits", `{"seq":1,"type":"event","event":"memory","body":{"offset":123456789012345678901234567890,"f":1e999}}`,
			`{"seq":2,"type":"event","event":"memory","body":{"offset":123456789012345678901234567890,"f":1e999}}`,
			Event, "memory", 1, 0, 2, 0},
		{"a seq that is no number", `{"seq":{"a":[1,"}"]},"type":"event","event":"x"}`, `{"seq":2,"type":"event","event":"x"}`,
			Event, "x", 0, 0, 2, 0},
		{"braces and quotes in strings", `{"x":"{\"seq\":9}\\","seq":1,"type":"event","event":"y"}`, `{"x":"{\"seq\":9}\\","seq":2,"type":"event","event":"y"}`,
			Event, "y", 1, 0, 2, 0},
		{"success, and words that are none", `{"seq":1,"type":"response","request_seq":4,"success":true,"command":12}`, `{"seq":2,"type":"response","request_seq":5,"success":true,"command":12}`,
			Response, "12", 1, 4, 2, 5},
		{"the name of a request is its command", `{"type":"request","command":"next","event":"stopped"}`, `{"seq":1,"type":"request","command":"next","event":"stopped"}`,
			Request, "next", 0, 0, 1, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := strings.Clone(test.raw)
			m, err := Parse([]byte(test.raw))
			if err != nil {
				t.Fatal(err)
			}
			if m.Type != test.typ || m.Name != test.command || m.Seq != test.seq || m.RequestSeq != test.requestSeq {
				t.Errorf("parsed as %q %q seq %d request_seq %d", m.Type, m.Name, m.Seq, m.RequestSeq)
			}
			if got := string(m.splice(nil, m.renumber(test.newSeq, test.newAnswer))); got != test.want {
				t.Errorf("renumbered\n got %s\nwant %s", got, test.want)
			}
			if string(m.Raw) != before {
				t.Errorf("the message itself has changed: %s", m.Raw)
			}
		})
	}
}

// maxDepth is how deep the arrays and objects of a message may be nested.
const maxDepth = 10_000

func nested(depth int) string {
	return `{"x":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
}

func TestWhatIsNoMessageIsRefused(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":           "",
		"a list":            `[{"seq":1}]`,
		"a string":          `"seq"`,
		"half an object":    `{"seq":1`,
		"two objects":       `{"seq":1}{"seq":2}`,
		"text":              "terminate called without an active exception",
		"a trailing comma":  `{"seq":1,}`,
		"null":              "null",
		"endless nesting":   strings.Repeat("[", 100<<20),
		"nesting, balanced": nested(maxDepth + 1),
	} {
		if m, err := Parse([]byte(raw)); !errors.Is(err, ErrNotDAP) {
			t.Errorf("%s: got a message: %t, %v; want ErrNotDAP", name, m != nil, err)
		}
	}
}

// Many brackets are no depth: a large list of objects, and brackets in strings.
func TestAWideMessageIsNotDeep(t *testing.T) {
	for name, raw := range map[string]string{
		"a list of objects": `{"x":[{}` + strings.Repeat(`,{"a":[]}`, maxDepth) + `]}`,
		"just not too deep": nested(maxDepth),
		"brackets in text":  `{"x":"\"` + strings.Repeat("[", 2*maxDepth) + `\\"}`,
	} {
		if _, err := Parse([]byte(raw)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSuccess(t *testing.T) {
	for raw, want := range map[string]bool{`{"success":true}`: true, `{"success":false}`: false, `{"success":"true"}`: false,
		`{"success":1}`: false, `{}`: false, `{"body":{"success":true}}`: false} {
		if m := message(t, raw); m.Success != want {
			t.Errorf("%s is read as %t", raw, m.Success)
		}
	}
}

// A name that is kept must not keep a message of 100 MiB.
func TestNamesAreNoPartOfTheMessage(t *testing.T) {
	m := message(t, `{"type":"event","event":"output"}`)
	for i := range m.Raw {
		m.Raw[i] = 'x'
	}
	if m.Type != Event || m.Name != "output" {
		t.Errorf("they have changed with it: %q, %q", m.Type, m.Name)
	}
}

func TestPatchingOneValueKeepsTheOthers(t *testing.T) {
	const raw = `{"seq":1, "type":"response","body":{"percentage":0, "reason":"exception","x":1e2},"command":"c" }`
	m, err := Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	set, err := m.Set("body.reason", []byte(`"entry"`))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(raw, "exception", "entry", 1); string(set.Raw) != want {
		t.Errorf("set\n got %s\nwant %s", set.Raw, want)
	}
	created, err := m.Set("body.y", []byte("true"))
	if err != nil {
		t.Fatal(err)
	}
	if !created.Get("body.y").Bool() || created.Get("body.x").Raw != "1e2" || created.Get("body.percentage").Raw != "0" {
		t.Errorf("created: %s", created.Raw)
	}
	deleted, err := m.Delete("body.reason")
	if err != nil {
		t.Fatal(err)
	}
	if deleted.Get("body.reason").Exists() || !bytes.Contains(deleted.Raw, []byte(`{"percentage":0,`)) {
		t.Errorf("deleted: %s", deleted.Raw)
	}
	if string(m.Raw) != raw {
		t.Errorf("the message itself has changed: %s", m.Raw)
	}
}

func TestAPatchThatCannotBeMadeIsAnError(t *testing.T) {
	m := message(t, `{"seq":1,"body":{"x":1,"list":[]}}`)
	if _, err := m.Set("body.list.x", []byte("1")); err == nil || errors.Is(err, ErrNotDAP) {
		t.Errorf("set a field of a list: %v", err)
	}
	if _, err := m.Delete("body.*"); err == nil || errors.Is(err, ErrNotDAP) {
		t.Errorf("deleted by a pattern: %v", err)
	}
	if _, err := m.Set("body.x", []byte("{")); !errors.Is(err, ErrNotDAP) {
		t.Errorf("set to what is no JSON: %v", err)
	}
}

func TestNewRequest(t *testing.T) {
	for _, test := range []struct {
		arguments any
		want      string
	}{
		{nil, `{"seq":0,"type":"request","command":"threads"}`},
		{map[string]any{"levels": 1}, `{"seq":0,"type":"request","command":"threads","arguments":{"levels":1}}`},
	} {
		if m := NewRequest("threads", test.arguments); string(m.Raw) != test.want || m.Type != Request || m.Name != "threads" {
			t.Errorf("got %s, read as %q %q", m.Raw, m.Type, m.Name)
		}
	}
}
