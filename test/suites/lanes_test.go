package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// A suite that waits has begun while one that computes runs, and the other way round; each
// shows what it has printed in one piece.
func TestSuitesThatWaitRunBesideTheOthers(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	chosen := []suite{{name: "computes"}, {name: "waits", waits: true}, {name: "computes, too"}}
	met, other := make(chan string), map[string]string{"computes": "waits", "waits": "computes"}
	var text strings.Builder
	results := runAll(ctx, &text, chosen, func(ctx context.Context, w io.Writer, s suite) result {
		fmt.Fprintf(w, "1 of %s\n", s.name)
		if other[s.name] != "" { // each gives its name to the other
			for range 2 {
				select {
				case met <- s.name:
				case name := <-met:
					if name != other[s.name] {
						t.Errorf("%s has met %s", s.name, name)
					}
				case <-ctx.Done():
					t.Errorf("%s has met nobody", s.name)
				}
			}
		}
		fmt.Fprintf(w, "2 of %s\n", s.name)
		return result{tally: tally{passed: len(s.name)}}
	})
	for _, s := range chosen {
		if results[s.name].passed != len(s.name) {
			t.Errorf("the result of %s is %+v", s.name, results[s.name])
		}
		if whole := fmt.Sprintf("\n== %s\n1 of %[1]s\n2 of %[1]s\n", s.name); !strings.Contains(text.String(), whole) {
			t.Errorf("%s is not in one piece:\n%s", s.name, &text)
		}
	}
}

// In a lane the order is that of the list, and what is printed is seen at once.
func TestSuitesOfOneLaneRunOneAfterTheOther(t *testing.T) {
	var text strings.Builder
	var seen []string
	runAll(context.Background(), &text, []suite{{name: "one"}, {name: "two"}}, func(_ context.Context, w io.Writer, s suite) result {
		fmt.Fprintf(w, "from %s\n", s.name)
		seen = append(seen, text.String())
		return result{}
	})
	first := "\n== one\nfrom one\n"
	if want := []string{first, first + "\n== two\nfrom two\n"}; !slices.Equal(seen, want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
}

// After an interrupt no other suite begins.
func TestAnEndedRunBeginsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	results := runAll(ctx, io.Discard, []suite{{name: "one"}, {name: "two"}}, func(context.Context, io.Writer, suite) result {
		cancel()
		return result{}
	})
	if _, ran := results["two"]; ran || len(results) != 1 {
		t.Errorf("results %+v, want that of one", results)
	}
}

func TestTheTimeOfProcessorsIsCounted(t *testing.T) {
	s := suite{name: "some", checks: true, script: "i=0; while ((SECONDS < 20 && i < 300000)); do ((i += 1)); done"}
	if r := run(t, s, nil); r.problem != "" || r.cpu <= 0 {
		t.Errorf("%v of processors and problem %q", r.cpu, r.problem)
	}
}
