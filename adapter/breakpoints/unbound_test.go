package breakpoints

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/paths"
)

// asks are the positions that a request asks LLDB for, as "5:1 9".
func asks(m *dapio.Message) string {
	var out []string
	for _, b := range m.Get("arguments.breakpoints").Array() {
		at := b.Get("line").Raw
		if b.Get("column").Int() != 0 {
			at += ":" + b.Get("column").Raw
		}
		out = append(out, at)
	}
	return strings.Join(out, " ")
}

func askAll(requests []*dapio.Message) string {
	var out []string
	for _, r := range requests {
		out = append(out, asks(r))
	}
	return strings.Join(out, " | ")
}

// at is a setBreakpoints of x.cc with these breakpoints as JSON members.
func at(t *testing.T, breakpoints ...string) *dapio.Message {
	return message(t, `{"seq":1,"type":"request","command":"setBreakpoints","arguments":{"source":{"path":"/ws/x.cc"},"breakpoints":[{`+strings.Join(breakpoints, "},{")+`}]}}`)
}

// said are the messages of an answer, one a line.
func said(m *dapio.Message) string {
	var out []string
	for _, b := range m.Get("body.breakpoints").Array() {
		out = append(out, fmt.Sprintf("%v %s", b.Get("verified").Bool(), b.Get("message").Str))
	}
	return strings.Join(out, "\n")
}

const wholeLine = "No code begins at or before column 1, so it is set for the whole line."

func TestAColumnWithoutCodeIsAskedForAsALine(t *testing.T) {
	b, _ := newTable()
	m := at(t, `"line":5,"column":1`, `"line":9,"column":7`)
	wants(t, "first", askAll(b.Requests(m)), "5:1 9:7")
	if !b.Place(m, []*dapio.Message{answer(t, "/a/x.cc", "1", "2 ok")}) {
		t.Fatal("LLDB is not asked again")
	}
	// LLDB 19 must forget the first before it takes it without its column.
	again := b.Requests(m)
	wants(t, "again", askAll(again), "9:7 | 5 9:7")
	answers := []*dapio.Message{answer(t, "/a/x.cc", "2 ok"), answer(t, "/a/x.cc", "3 ok", "2 ok")}
	if b.Place(m, answers) {
		t.Fatal("LLDB is asked for ever")
	}
	got := b.Answer(m, answers)
	wants(t, "the answer", said(got), "true "+wholeLine+"\ntrue ")
	wants(t, "the first", shown(got, "body.breakpoints.0"), "3 true /ws/x.cc")
	// From now on it is known, so that LLDB keeps its breakpoint.
	wants(t, "later", askAll(b.Requests(m)), "5 9:7")
}

func TestALineThatHasABreakpointOfItsOwnKeepsIt(t *testing.T) {
	b, _ := newTable()
	m := at(t, `"line":5`, `"line":5,"column":1`, `"line":5,"column":2`)
	b.Requests(m)
	line := `{"id":1,"verified":true,"line":5,"column":3}`
	first := message(t, `{"success":true,"type":"response","command":"setBreakpoints","body":{"breakpoints":[`+line+`,{"id":2,"verified":false},{"id":3,"verified":false}]}}`)
	if !b.Place(m, []*dapio.Message{first}) {
		t.Fatal("LLDB is not asked again")
	}
	// The second takes the column where the line begins; for the third there is no
	// other place.
	wants(t, "again", askAll(b.Requests(m)), "5 5:2 | 5 5:3 5:2")
}

func TestALineWithoutCodeIsAskedForTwiceAtMost(t *testing.T) {
	b, _ := newTable()
	m := at(t, `"line":5,"column":1`)
	b.Requests(m)
	b.Place(m, []*dapio.Message{answer(t, "/a/x.cc", "1")})
	wants(t, "again", askAll(b.Requests(m)), " | 5")
	answers := []*dapio.Message{answer(t, "/a/x.cc"), answer(t, "/a/x.cc", "2")}
	if b.Place(m, answers) {
		t.Error("LLDB is asked a third time")
	}
	if unbound := b.Unbound(m); len(unbound) != 1 || unbound[0] != (Asked{File: "/ws/x.cc", Line: 5, Column: 1}) {
		t.Errorf("to explain: %v", unbound)
	}
	b.Explain(m, map[int]Reason{0: {Text: "No code."}})
	wants(t, "the answer", said(b.Answer(m, answers)), "false No code.")
}

func TestARelativePathIsTheFileThatEndsWithIt(t *testing.T) {
	b, _ := newTable()
	early := message(t, `{"body":`+string(b.Early(setRequest(t, "sub/x.cc", 5)))+`}`)
	m := b.Replay()[0]
	requests := b.Requests(m)
	if len(requests) != 1 || requests[0].Get("arguments.source.path").Str != "/a/sub/x.cc" {
		t.Fatalf("LLDB is asked %s", requests[0].Raw)
	}
	got := answered(b, m, []*dapio.Message{answer(t, "/a/sub/x.cc", "1 ok")})
	id := early.Get("body.breakpoints.0.id").Int()
	wants(t, "the answer", shown(got, "body.breakpoints.0"), fmt.Sprintf("%d true /ws/sub/x.cc", id))
}

// A client that calls one file by several names has a set of breakpoints for each.
func TestTwoNamesOfAFileDoNotReplaceEachOther(t *testing.T) {
	b, _ := newTable()
	for range 2 {
		for i, name := range []string{"sub/x.cc", "/ws/sub/x.cc", "x.cc"} {
			m := setRequest(t, name, 5)
			requests := b.Requests(m)
			want := []string{"/a/sub/x.cc", "/a/sub/./x.cc", "/a/sub/././x.cc"}[i]
			if len(requests) != 1 || requests[0].Get("arguments.source.path").Str != want {
				t.Fatalf("for %s LLDB is asked %s, want %s", name, requests[0].Raw, want)
			}
			got := answered(b, m, []*dapio.Message{answer(t, want, fmt.Sprintf("%d ok", i+1))})
			wants(t, name, shown(got, "body.breakpoints.0"), fmt.Sprintf("%d true /ws/sub/x.cc", i+1))
		}
		wants(t, "count", count(b), "3 3")
	}
}

func TestAnEndingOfSeveralFilesBindsNoneAndNamesThem(t *testing.T) {
	b, _ := newTable()
	m := setRequest(t, "main.cc", 5, 9)
	if requests := b.Requests(m); len(requests) != 0 {
		t.Fatalf("LLDB is asked %v", requests)
	}
	b.Place(m, nil)
	if unbound := b.Unbound(m); len(unbound) != 0 {
		t.Errorf("to explain: %v", unbound)
	}
	const why = "false 2 files end with main.cc: main.cc, other/main.cc. Write more of the path."
	got := b.Answer(m, nil)
	wants(t, "the answer", said(got), why+"\n"+why)
	if got.Get("body.breakpoints.0.id").Int() == got.Get("body.breakpoints.1.id").Int() {
		t.Error("both have one id")
	}
	none := setRequest(t, "main.cc")
	b.Requests(none)
	b.Place(none, nil)
	wants(t, "none", b.Answer(none, nil).Get("body.breakpoints").Raw, "[]")
	wants(t, "count", count(b), "0 0")
}

func TestWhatIsBoundLaterSaysNothingAnyMore(t *testing.T) {
	b, _ := newTable()
	m := setRequest(t, "/ws/x.cc", 5)
	b.Requests(m)
	answers := []*dapio.Message{answer(t, "/a/x.cc", "1")}
	b.Place(m, answers)
	b.Explain(m, map[int]Reason{0: {Text: "It is in a library.", Pending: true}})
	got := b.Answer(m, answers).Get("body.breakpoints.0")
	wants(t, "before", got.Get("reason").Str+" "+got.Get("message").Str, "pending It is in a library.")
	got = b.Event(event(t, "changed", 1, false)).Get("body.breakpoint")
	wants(t, "still", got.Get("reason").Str+" "+got.Get("message").Str, "pending It is in a library.")
	got = b.Event(event(t, "changed", 1, true)).Get("body.breakpoint")
	wants(t, "after", got.Get("reason").Raw+got.Get("message").Raw, "")
	wants(t, "where", shown(b.Event(event(t, "changed", 1, true)), "body.breakpoint"), "1 true /ws/x.cc")
}

func TestHitConditions(t *testing.T) {
	for condition, want := range map[string]string{
		"":       "",
		"3":      "",
		"0":      "With the hit condition 0 it never stops.",
		"> 5":    `The hit condition "> 5" is ignored: LLDB takes a number alone, that of the first hit that stops.`,
		"-1":     `The hit condition "-1" is ignored: LLDB takes a number alone, that of the first hit that stops.`,
		`a"b`:    `The hit condition "a\"b" is ignored: LLDB takes a number alone, that of the first hit that stops.`,
		"5.0":    `The hit condition "5.0" is ignored: LLDB takes a number alone, that of the first hit that stops.`,
		"  ":     "",
		"1e3":    `The hit condition "1e3" is ignored: LLDB takes a number alone, that of the first hit that stops.`,
		"0x10":   `The hit condition "0x10" is ignored: LLDB takes a number alone, that of the first hit that stops.`,
		"010000": "",
	} {
		b, _ := newTable()
		m := at(t, fmt.Sprintf(`"line":5,"hitCondition":%q`, condition))
		b.Requests(m)
		wants(t, condition, said(answered(b, m, []*dapio.Message{answer(t, "/a/x.cc", "1 ok")})), "true "+want)
		wants(t, condition, b.StatesOf(m)[0].Hit, want)
	}
}

// LLDB 19 has one breakpoint for a line.
func TestTwoBreakpointsThatLLDBTakesForOneSaySo(t *testing.T) {
	b, _ := newTable()
	m := at(t, `"line":5`, `"line":5,"column":3`, `"line":9`)
	b.Requests(m)
	wants(t, "the answer", said(answered(b, m, []*dapio.Message{answer(t, "/a/x.cc", "1 ok", "1 ok", "2 ok")})),
		"true LLDB takes it and another breakpoint of this line for one, and does what the other says.\ntrue \ntrue ")
}

func TestLLDBsOwnMessageStays(t *testing.T) {
	b, _ := newTable()
	m := message(t, `{"seq":1,"type":"request","command":"setDataBreakpoints","arguments":{"breakpoints":[{"dataId":"x/4"}]}}`)
	b.Requests(m)
	answers := []*dapio.Message{message(t, `{"type":"response","success":true,"command":"setDataBreakpoints","body":{"breakpoints":[{"id":1,"verified":false,"message":"no debug registers"}]}}`)}
	b.Place(m, answers)
	if unbound := b.Unbound(m); len(unbound) != 0 {
		t.Errorf("to explain: %v", unbound)
	}
	wants(t, "the answer", said(b.Answer(m, answers)), "false no debug registers")
	wants(t, "the state", fmt.Sprint(b.StatesOf(m)[0]), "{x/4 false {no debug registers false}  }")
}

// ofLines are sources with one file, whose lines cost something to find out.
type ofLines struct {
	twoRoots
	asked int
	err   error
}

func (s *ofLines) Lines(context.Context, string) ([]int, error) {
	s.asked++
	return []int{4, 5, 20}, s.err
}

func TestReasonsOfLinesAndFiles(t *testing.T) {
	sources := &ofLines{}
	here := filepath.Join(t.TempDir(), "here.cc")
	if err := os.WriteFile(here, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	e := NewExplainer("/nowhere/exe", nil)
	for _, c := range []struct {
		asked Asked
		want  string
	}{
		{Asked{File: "/ws/x.cc", Line: 1}, "Line 1 of x.cc has no code; the next line that has is 4."},
		{Asked{File: "/ws/x.cc", Line: 6}, "Line 6 of x.cc has no code; the next line that has is 20."},
		{Asked{File: "/ws/x.cc", Line: 21}, "Line 21 of x.cc has no code; the last line that has is 20."},
		{Asked{File: "/ws/x.cc", Line: 5}, "LLDB has found no place in line 5 of x.cc, although the line table has it."},
		{Asked{File: "y.cc", Line: 5}, "Nothing is compiled from a file that ends with y.cc. Nearest: server.cc (line table of exe)."},
		{Asked{File: here, Line: 5}, "Nothing is compiled from " + here + ". Nearest: server.cc (line table of exe)."},
		{Asked{Other: "0x1"}, "LLDB could not set it."},
	} {
		if got := e.Explain(sources, map[int]Asked{3: c.asked})[3]; got != (Reason{Text: c.want}) {
			t.Errorf("%v: %+v, want %s", c.asked, got, c.want)
		}
	}
	// What was found is remembered, but not for other sources, nor what was not found.
	before := sources.asked
	e.Explain(sources, map[int]Asked{0: {File: "/ws/x.cc", Line: 1}})
	if sources.asked != before {
		t.Error("the lines are read again")
	}
	rebuilt := &ofLines{err: errors.New("damaged")}
	if got := e.Explain(rebuilt, map[int]Asked{0: {File: "/ws/x.cc", Line: 1}})[0].Text; got != "Line 1 of x.cc has no code." || rebuilt.asked != 1 {
		t.Errorf("of damaged line tables: %s", got)
	}
}

func TestReasonsOfFunctionsAndLibraries(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "lib.cc"), "namespace own { int helper(int n) { return n; } }\n")
	write(t, filepath.Join(dir, "main.cc"), "namespace own { int helper(int); }\nint wanted() { return own::helper(1); }\nint main() { return wanted(); }\n")
	build(t, dir, "-g", "-shared", "-fPIC", "-Wl,-soname,libown.so", "-o", "libown.so", "lib.cc")
	build(t, dir, "-g", "-o", "program", "main.cc", "libown.so", "-Wl,-rpath,$ORIGIN")
	build(t, dir, "-s", "-o", "stripped", "main.cc", "libown.so", "-Wl,-rpath,$ORIGIN")
	program, stripped := NewExplainer(filepath.Join(dir, "program"), nil), NewExplainer(filepath.Join(dir, "stripped"), nil)
	for _, c := range []struct {
		e       *Explainer
		sources paths.Sources
		asked   Asked
		want    Reason
	}{
		{program, nil, Asked{Function: "wnated"}, Reason{Text: "program has no function wnated. Nearest: wanted."}},
		{program, nil, Asked{Function: "nothing_at_all"}, Reason{Text: "program has no function nothing_at_all."}},
		{program, nil, Asked{Function: "own::helper"}, Reason{Text: "It is in libown.so, which is not loaded yet.", Pending: true}},
		{program, nil, Asked{Function: "epoll_wait"}, Reason{Text: "It is in libc.so.6, which is not loaded yet.", Pending: true}},
		{stripped, nil, Asked{Function: "wanted"}, Reason{Text: "stripped has no symbols: no function of it can be found by its name."}},
		{stripped, nil, Asked{File: "main.cc", Line: 2}, Reason{Text: "stripped has no line tables: no file and line of it can be found."}},
		{stripped, nil, Asked{File: "lib.cc", Line: 1}, Reason{Text: "It is in libown.so, which is not loaded yet.", Pending: true}},
		{program, nil, Asked{File: "main.cc", Line: 1}, Reason{Text: "LLDB has found no code there."}},
		{program, &ofLines{}, Asked{File: filepath.Join(dir, "lib.cc"), Line: 1}, Reason{Text: "It is in libown.so, which is not loaded yet.", Pending: true}},
		{program, &ofLines{}, Asked{File: filepath.Join(dir, "program"), Line: 1}, Reason{Pending: true,
			Text: "Nothing is compiled from " + filepath.Join(dir, "program") + ". A library that is loaded later may have it. Nearest: server.cc (line table of program)."}},
		{NewExplainer("", nil), nil, Asked{Function: "wanted"}, Reason{Text: "There is no function wanted."}},
	} {
		if got := c.e.Explain(c.sources, map[int]Asked{0: c.asked})[0]; got != c.want {
			t.Errorf("%v: %+v, want %+v", c.asked, got, c.want)
		}
	}
}
