package main

import (
	"context"
	"strings"
	"testing"
	"time"
)

func feed(c counter, lines string) (string, tally) {
	var shown strings.Builder
	for line := range strings.Lines(lines) {
		shown.WriteString(c.line(line))
	}
	return shown.String(), c.total()
}

func TestGoEventsAreCounted(t *testing.T) {
	for _, test := range []struct {
		name, lines string
		want        tally
		shown       string // must be in what is shown
	}{
		{"only leaves count", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestA/one"}
{"Action":"run","Package":"p","Test":"TestA/two"}
{"Action":"pass","Package":"p","Test":"TestA/one"}
{"Action":"pass","Package":"p","Test":"TestA/two"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}`, tally{passed: 2}, "pass  p"},
		{"a failed test shows its output", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p"}`, tally{failed: 1}, "got 1, want 2"},
		{"skipped is told apart", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}`, tally{skipped: 1}, "pass  p"},
		{"a package that does not compile", `{"ImportPath":"p","Action":"build-output","Output":"undefined: x\n"}
{"Action":"fail","Package":"p"}`, tally{failed: 1}, "undefined: x"},
		{"a process that dies in a test", `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"panic: oh\n"}
{"Action":"fail","Package":"p"}`, tally{failed: 1}, "panic: oh"},
		{"what the go command says", "no packages to test\n", tally{}, "no packages to test"},
	} {
		t.Run(test.name, func(t *testing.T) {
			shown, got := feed(countGo(), test.lines)
			if got != test.want {
				t.Errorf("counted %+v, want %+v", got, test.want)
			}
			if !strings.Contains(shown, test.shown) {
				t.Errorf("shown %q, want it to have %q", shown, test.shown)
			}
		})
	}
}

func TestNodeTotalsAreCounted(t *testing.T) {
	_, got := feed(countNode(), "✔ a story (1ms)\nℹ tests 6\nℹ pass 3\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\nℹ todo 0\n")
	if want := (tally{passed: 3, failed: 2, skipped: 1}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

func TestASuiteThatRanNothingHasFailed(t *testing.T) {
	for text, want := range map[string]string{
		"true":                     "ran no test",
		"exit 3":                   "exit status 3",
		"step fine true":           "",
		"step fine true; exit 3":   "exit status 3",
		"step fine true; sleep 60": "not done after 300ms",
	} {
		s := suite{"some", script(text), countSteps, 300 * time.Millisecond}
		if got := s.run(context.Background(), false).problem; got != want {
			t.Errorf("%q: problem %q, want %q", text, got, want)
		}
	}
}

func TestTheLastLineIsTheTotal(t *testing.T) {
	chosen := []suite{{name: "one"}, {name: "two"}}
	for _, test := range []struct {
		results []result
		want    string
		well    bool
	}{
		{[]result{{tally: tally{passed: 3}}, {tally: tally{passed: 4}}}, "7 passed, 0 failed\n", true},
		{[]result{{tally: tally{passed: 3, failed: 1}}, {tally: tally{passed: 4}}}, "7 passed, 1 failed\n", false},
		{[]result{{tally: tally{passed: 3}}, {problem: "ran no test"}}, "3 passed, 1 failed\n", false},
		{[]result{{tally: tally{passed: 3}}}, "3 passed, 1 failed\n", false},
	} {
		var text strings.Builder
		if well := summary(&text, chosen, test.results); well != test.well || !strings.HasSuffix(text.String(), "\n"+test.want) {
			t.Errorf("%+v: %v and %q, want %v and %q at its end", test.results, well, text.String(), test.well, test.want)
		}
	}
}
