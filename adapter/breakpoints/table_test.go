package breakpoints

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/paths"
)

// twoRoots are sources whose main.cc has two paths in the debug information, and
// whose other files have one.
type twoRoots struct{ moved bool }

func (s *twoRoots) Local(p string) (paths.Source, bool) {
	for _, root := range []string{"/a/", "/b/", "/c/"} {
		if rest, ok := strings.CutPrefix(p, root); ok {
			return paths.Source{Path: "/ws/" + rest}, true
		}
	}
	return paths.Source{}, false
}
func (s *twoRoots) Debugger(local string) []string { return s.Paths(local) }
func (s *twoRoots) Paths(local string) []string {
	rest, ok := strings.CutPrefix(local, "/ws/")
	switch {
	case !ok:
		return nil
	case s.moved:
		return []string{"/c/" + rest}
	case rest == "main.cc":
		return []string{"/a/" + rest, "/b/" + rest}
	}
	return []string{"/a/" + rest}
}
func (s *twoRoots) Ending(relative string) []string {
	if len(s.Paths(relative)) > 0 {
		return []string{relative}
	}
	switch relative {
	case "x.cc", "sub/x.cc":
		return []string{"/ws/sub/x.cc"}
	case "main.cc":
		return []string{"/ws/main.cc", "/ws/other/main.cc"}
	}
	return nil
}
func (*twoRoots) Short(file string) string     { return strings.TrimPrefix(file, "/ws/") }
func (*twoRoots) Nearest(string, int) []string { return []string{"server.cc"} }
func (*twoRoots) Lines(context.Context, string) ([]int, error) {
	return []int{4, 5, 9, 20}, nil
}
func (*twoRoots) SymbolFile() string                  { return "" }
func (*twoRoots) Changed(string) (paths.Change, bool) { return paths.Change{}, false }
func (*twoRoots) Forward() [][2]string                { return nil }
func (*twoRoots) DebugDir() string                    { return "" }
func (*twoRoots) Summary() string                     { return "" }

func message(t *testing.T, text string) *dapio.Message {
	t.Helper()
	m, err := dapio.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newTable() (*Table, *twoRoots) {
	s := &twoRoots{}
	p := paths.NewRewriter(func(string, paths.Change) {})
	p.Use(s)
	return New(p), s
}

// setRequest is a setBreakpoints of the editor's.
func setRequest(t *testing.T, path string, lines ...int) *dapio.Message {
	var list []string
	for _, line := range lines {
		list = append(list, fmt.Sprintf(`{"line":%d}`, line))
	}
	return message(t, fmt.Sprintf(`{"seq":1,"type":"request","command":"setBreakpoints","arguments":{"source":{"path":%q},"breakpoints":[%s]}}`,
		path, strings.Join(list, ",")))
}

// answer is LLDB's, with breakpoints like "7 ok" or "8" (not verified).
func answer(t *testing.T, path string, breakpoints ...string) *dapio.Message {
	var list []string
	for _, b := range breakpoints {
		id, ok, _ := strings.Cut(b, " ")
		list = append(list, fmt.Sprintf(`{"id":%s,"verified":%v,"line":5,"source":{"path":%q}}`, id, ok == "ok", path))
	}
	return message(t, fmt.Sprintf(`{"seq":1,"type":"response","command":"setBreakpoints","success":true,"body":{"breakpoints":[%s]}}`, strings.Join(list, ",")))
}

// answered is what the editor is answered.
func answered(b *Table, m *dapio.Message, answers []*dapio.Message) *dapio.Message {
	b.Place(m, answers)
	return b.Answer(m, answers)
}

func event(t *testing.T, reason string, id int, verified bool) *dapio.Message {
	return message(t, fmt.Sprintf(`{"type":"event","event":"breakpoint","body":{"reason":%q,"breakpoint":{"id":%d,"verified":%v,"line":5}}}`, reason, id, verified))
}

// count is how many are bound, and how many there are.
func count(b *Table) string {
	bound := 0
	for _, s := range b.States() {
		if s.Bound {
			bound++
		}
	}
	return fmt.Sprint(bound, len(b.States()))
}

// shown is what the editor gets, as "id verified path".
func shown(m *dapio.Message, at string) string {
	if m == nil {
		return "nothing"
	}
	v := m.Get(at)
	return strings.TrimSpace(fmt.Sprintf("%d %v %s", v.Get("id").Int(), v.Get("verified").Bool(), v.Get("source.path").String()))
}

func wants(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestAFileOfSeveralRootsIsOneForTheEditor(t *testing.T) {
	b, _ := newTable()
	m := setRequest(t, "/ws/main.cc", 5)
	requests := b.Requests(m)
	if len(requests) != 2 || requests[0].Get("arguments.source.path").Str != "/a/main.cc" || requests[1].Get("arguments.source.path").Str != "/b/main.cc" {
		t.Fatalf("LLDB is asked %v", requests)
	}
	// The second path alone has code. The id is that of the first all the same.
	got := answered(b, m, []*dapio.Message{answer(t, "/a/main.cc", "7"), answer(t, "/b/main.cc", "8 ok")})
	wants(t, "the answer", shown(got, "body.breakpoints.0"), "7 true /ws/main.cc")
	wants(t, "count", count(b), "1 1")

	wants(t, "a stop in the second", b.Stopped(message(t, `{"type":"event","event":"stopped","body":{"hitBreakpointIds":[8,99]}}`)).Get("body.hitBreakpointIds").Raw, "[7,99]")
	wants(t, "the first gets code", shown(b.Event(event(t, "changed", 7, true)), "body.breakpoint"), "nothing")
	wants(t, "the second loses it", shown(b.Event(event(t, "changed", 8, false)), "body.breakpoint"), "nothing")
	wants(t, "the first loses it, too", shown(b.Event(event(t, "changed", 7, false)), "body.breakpoint"), "7 false /ws/main.cc")
	wants(t, "the second has it back", shown(b.Event(event(t, "changed", 8, true)), "body.breakpoint"), "7 true /ws/main.cc")
	wants(t, "the first is removed", shown(b.Event(event(t, "removed", 7, false)), "body.breakpoint"), "nothing")
	wants(t, "the second is removed", shown(b.Event(event(t, "removed", 8, false)), "body.breakpoint"), "7 false")
}

func TestTheIdStaysWhenAnotherPathTakesOver(t *testing.T) {
	b, _ := newTable()
	m := setRequest(t, "/ws/main.cc", 5)
	b.Requests(m)
	answered(b, m, []*dapio.Message{answer(t, "/a/main.cc", "7 ok"), answer(t, "/b/main.cc", "8")})
	// The editor sets one more; LLDB keeps the ids of what it has.
	m = setRequest(t, "/ws/main.cc", 5, 9)
	b.Requests(m)
	got := answered(b, m, []*dapio.Message{answer(t, "/a/main.cc", "7", "9 ok"), answer(t, "/b/main.cc", "8 ok", "10 ok")})
	wants(t, "the first", shown(got, "body.breakpoints.0"), "7 true /ws/main.cc")
	wants(t, "the second", shown(got, "body.breakpoints.1"), "9 true /ws/main.cc")
	m = setRequest(t, "/ws/main.cc", 9)
	b.Requests(m)
	answered(b, m, []*dapio.Message{answer(t, "/a/main.cc", "9 ok"), answer(t, "/b/main.cc", "10 ok")})
	wants(t, "a stop at what was removed", b.Stopped(message(t, `{"type":"event","event":"stopped","body":{"hitBreakpointIds":[8]}}`)).Get("body.hitBreakpointIds").Raw, "[8]")
	wants(t, "count", count(b), "1 1")
}

// The build has moved the file; what was set under the old path must not stay.
func TestAMovedFileLeavesNothingBehind(t *testing.T) {
	b, s := newTable()
	m := setRequest(t, "/ws/x.cc", 5)
	b.Requests(m)
	answered(b, m, []*dapio.Message{answer(t, "/a/x.cc", "7 ok")})
	s.moved = true
	requests := b.Requests(m)
	if len(requests) != 2 || requests[0].Get("arguments.source.path").Str != "/c/x.cc" ||
		requests[1].Get("arguments.source.path").Str != "/a/x.cc" || requests[1].Get("arguments.breakpoints").Raw != "[]" {
		t.Fatalf("LLDB is asked %s and %s", requests[0].Raw, requests[1].Raw)
	}
	got := answered(b, m, []*dapio.Message{answer(t, "/c/x.cc", "8 ok"), answer(t, "/a/x.cc")})
	wants(t, "the answer", shown(got, "body.breakpoints.0"), "8 true /ws/x.cc")
	if len(b.Requests(m)) != 1 {
		t.Error("the old path is asked for again")
	}
}

func TestWhatFailsOrIsPlainPasses(t *testing.T) {
	b, _ := newTable()
	m := setRequest(t, "/elsewhere/y.cc", 5)
	if requests := b.Requests(m); len(requests) != 1 || requests[0] != m {
		t.Errorf("LLDB is asked %v", requests)
	}
	plain := answer(t, "/elsewhere/y.cc", "7 ok")
	if got := answered(b, m, []*dapio.Message{plain}); got != plain {
		t.Errorf("the answer is changed: %s", got.Raw)
	}
	m = setRequest(t, "/ws/main.cc", 5)
	b.Requests(m)
	failed := message(t, `{"type":"response","command":"setBreakpoints","success":false}`)
	if got := answered(b, m, []*dapio.Message{answer(t, "/a/main.cc", "7"), failed}); got != failed {
		t.Errorf("the answer is %s", got.Raw)
	}
	other := event(t, "changed", 99, true)
	if got := b.Event(other); got != other {
		t.Errorf("an event of a breakpoint from the console: %v", got)
	}
	f := message(t, `{"seq":1,"type":"request","command":"setFunctionBreakpoints","arguments":{"breakpoints":[{"name":"f"}]}}`)
	b.Requests(f)
	got := answered(b, f, []*dapio.Message{answer(t, "/a/x.cc", "11 ok")})
	wants(t, "a function breakpoint", shown(got, "body.breakpoints.0"), "11 true /ws/x.cc")
}

func TestBreakpointsBeforeThereIsAProgram(t *testing.T) {
	b, _ := newTable()
	first := message(t, `{"body":`+string(b.Early(setRequest(t, "/ws/main.cc", 5, 9)))+`}`)
	if n := first.Get("body.breakpoints.#").Int(); n != 2 || first.Get("body.breakpoints.0.verified").Bool() || first.Get("body.breakpoints.1.line").Int() != 9 {
		t.Fatalf("the answer is %s", first.Raw)
	}
	b.Early(setRequest(t, "/ws/x.cc", 1))
	latest := setRequest(t, "/ws/main.cc", 9) // replaces the first
	early := message(t, `{"body":`+string(b.Early(latest))+`}`)
	replay := b.Replay()
	if len(replay) != 2 || replay[0] != latest {
		t.Fatalf("%d requests are to be sent", len(replay))
	}
	wants(t, "count", count(b), "0 2")
	b.Requests(latest)
	answered(b, latest, []*dapio.Message{answer(t, "/a/main.cc", "1 ok"), answer(t, "/b/main.cc", "2")})
	id := early.Get("body.breakpoints.0.id").Int()
	changed := b.Changed(latest)
	if len(changed) != 1 || !strings.Contains(changed[0], fmt.Sprintf(`"id":%d,"verified":true`, id)) {
		t.Errorf("the editor, who knows %d, is told %v", id, changed)
	}
	wants(t, "a stop", b.Stopped(message(t, `{"type":"event","event":"stopped","body":{"hitBreakpointIds":[2]}}`)).Get("body.hitBreakpointIds").Raw, fmt.Sprintf("[%d]", id))
	// The editor goes on with its own number.
	m := setRequest(t, "/ws/main.cc", 9, 12)
	b.Requests(m)
	got := answered(b, m, []*dapio.Message{answer(t, "/a/main.cc", "1 ok", "3 ok"), answer(t, "/b/main.cc", "2", "4")})
	wants(t, "the first later", shown(got, "body.breakpoints.0"), fmt.Sprintf("%d true /ws/main.cc", id))
	if len(b.Replay()) != 1 {
		t.Errorf("%d requests are still to be sent", len(b.Replay()))
	}
	if string(b.Early(message(t, `{"seq":1,"type":"request","command":"setExceptionBreakpoints","arguments":{"filters":[]}}`))) != "{}" {
		t.Error("setExceptionBreakpoints has breakpoints")
	}
}
