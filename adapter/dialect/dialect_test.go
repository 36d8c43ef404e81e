package dialect

import (
	"testing"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

func message(t *testing.T, text string) *dapio.Message {
	t.Helper()
	m, err := dapio.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatAClientSaysOfItself(t *testing.T) {
	for arguments, want := range map[string]Dialect{
		`{}`: {},
		`{"linesStartAt1":true,"columnsStartAt1":true,"pathFormat":"path"}`: {},
		`{"linesStartAt1":false}`:   {LinesFrom0: true},
		`{"columnsStartAt1":false}`: {ColumnsFrom0: true},
		`{"linesStartAt1":false,"columnsStartAt1":false,"pathFormat":"uri"}`: {true, true, true},
	} {
		m := message(t, `{"seq":1,"type":"request","command":"initialize","arguments":`+arguments+`}`)
		d := Of(m)
		if d != want {
			t.Errorf("%s: %+v", arguments, d)
		}
		got := d.Initialize(m)
		if d == (Dialect{}) && got != m {
			t.Errorf("%s is changed", arguments)
		}
		if d != (Dialect{}) && (!got.Get("arguments.linesStartAt1").Bool() || got.Get("arguments.pathFormat").Str != "path") {
			t.Errorf("lldb-dap gets %s", got.Raw)
		}
	}
}

func TestRequests(t *testing.T) {
	d := Dialect{true, true, true}
	for command, x := range map[string]struct{ arguments, want string }{
		"setBreakpoints": {`{"source":{"path":"file:///s%20r/a.cc"},"breakpoints":[{"line":0,"column":0},{"line":41}],"lines":[0,41]}`,
			`{"source":{"path":"/s r/a.cc"},"breakpoints":[{"line":1,"column":1},{"line":42}],"lines":[1,42]}`},
		"breakpointLocations": {`{"source":{"path":"file:///a.cc"},"line":4,"endLine":5,"column":0}`, `{"source":{"path":"/a.cc"},"line":5,"endLine":6,"column":1}`},
		"completions":         {`{"text":"x","column":0}`, `{"text":"x","column":1}`},
		"source":              {`{"source":{"path":"untitled:1"}}`, `{"source":{"path":"untitled:1"}}`},
		"next":                {`{"line":4}`, `{"line":4}`},
	} {
		got := d.Request(message(t, `{"seq":1,"type":"request","command":"`+command+`","arguments":`+x.arguments+`}`))
		if raw := got.Get("arguments").Raw; raw != x.want {
			t.Errorf("%s: %s, want %s", command, raw, x.want)
		}
	}
}

func TestReplies(t *testing.T) {
	d := Dialect{true, true, true}
	for name, x := range map[string]struct{ body, want string }{
		"stackTrace": {`{"stackFrames":[{"line":42,"column":7,"source":{"path":"/a b.cc"}},{"line":0,"column":0}]}`,
			`{"stackFrames":[{"line":41,"column":6,"source":{"path":"file:///a%20b.cc"}},{"line":0,"column":0}]}`},
		"setBreakpoints": {`{"breakpoints":[{"id":1,"line":5,"endLine":6}]}`, `{"breakpoints":[{"id":1,"line":4,"endLine":5}]}`},
		"variables":      {`{"variables":[{"$__lldb_extensions":{"declaration":{"line":5,"path":"/a.cc"}}}]}`, `{"variables":[{"$__lldb_extensions":{"declaration":{"line":4,"path":"file:///a.cc"}}}]}`},
		"locations":      {`{"line":5,"source":{"path":"/a.cc"}}`, `{"line":4,"source":{"path":"file:///a.cc"}}`},
		"disassemble":    {`{"instructions":[{"line":5,"location":{"path":"/a.cc"}}]}`, `{"instructions":[{"line":4,"location":{"path":"file:///a.cc"}}]}`},
		"modules":        {`{"modules":[{"path":"/a"}]}`, `{"modules":[{"path":"/a"}]}`},
	} {
		got := d.Reply(message(t, `{"seq":1,"type":"response","command":"`+name+`","body":`+x.body+`}`))
		if raw := got.Get("body").Raw; raw != x.want {
			t.Errorf("%s: %s, want %s", name, raw, x.want)
		}
	}
	event := d.Reply(message(t, `{"seq":1,"type":"event","event":"breakpoint","body":{"breakpoint":{"line":5,"source":{"path":"/a.cc"}}}}`))
	if raw := event.Get("body").Raw; raw != `{"breakpoint":{"line":4,"source":{"path":"file:///a.cc"}}}` {
		t.Errorf("breakpoint event: %s", raw)
	}
	only := Dialect{LinesFrom0: true}
	got := only.Reply(message(t, `{"seq":1,"type":"response","command":"locations","body":{"line":5,"column":3,"source":{"path":"/a.cc"}}}`))
	if raw := got.Get("body").Raw; raw != `{"line":4,"column":3,"source":{"path":"/a.cc"}}` {
		t.Errorf("lines alone: %s", raw)
	}
}
