// Command suites runs the test suites named by its arguments, or all of them,
// one after the other, and ends with a table of what each did. It exits with 1
// when a test failed or was skipped, and when a suite ran no test at all: a
// suite that could not run has failed.
//
// suites.go has the list of the suites; a new one is a line there. Each is a
// command whose output is read as it comes (count.go) and shown in a shorter
// form, or in full with -v.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	verbose := flag.Bool("v", false, "show all output of the suites")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	chosen, err := choose(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
		os.Exit(2)
	}
	var results []result
	for _, s := range chosen {
		if ctx.Err() != nil {
			break
		}
		fmt.Printf("\n== %s\n", s.name)
		results = append(results, s.run(ctx, *verbose))
	}
	if !summary(os.Stdout, chosen, results) {
		os.Exit(1)
	}
}

// choose returns the suites of these names in the order of the list.
func choose(names []string) ([]suite, error) {
	if len(names) == 0 {
		return suites, nil
	}
	var chosen []suite
	for _, s := range suites {
		if i := slices.Index(names, s.name); i >= 0 {
			chosen = append(chosen, s)
			names = slices.Delete(slices.Clone(names), i, i+1)
		}
	}
	if len(names) > 0 {
		return nil, fmt.Errorf("no suite is named %s", strings.Join(names, ", "))
	}
	return chosen, nil
}

// result is what a suite did. Problem is what the counts do not say.
type result struct {
	tally
	problem string
	took    time.Duration
}

// summary prints the table and the totals and says whether all is well. A suite
// without a result did not run.
func summary(w io.Writer, chosen []suite, results []result) bool {
	passed, failed := 0, 0
	fmt.Fprintf(w, "\n%-12s %7s %7s %9s\n", "suite", "passed", "failed", "time")
	for i, s := range chosen {
		r := result{problem: "did not run"}
		if i < len(results) {
			r = results[i]
		}
		if r.problem != "" && r.failed == 0 {
			r.failed = 1
		}
		fmt.Fprintf(w, "%-12s %7d %7d %7.1f s  %s\n", s.name, r.passed, r.failed, r.took.Seconds(), r.problem)
		passed += r.passed
		failed += r.failed
	}
	fmt.Fprintf(w, "\n%d passed, %d failed\n", passed, failed)
	return failed == 0
}
