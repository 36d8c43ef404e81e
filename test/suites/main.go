package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	chosen, left, err := choose(os.Args[1:], os.Geteuid() == 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, "suites:", err)
		os.Exit(2)
	}
	root, err := checkout.Root()
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
		results = append(results, s.run(ctx, os.Stdout, root, filepath.Join(root, "out/junit")))
	}
	if !summary(os.Stdout, chosen, results, left) {
		os.Exit(1)
	}
}

// choose returns the suites of these names, in the order of the list. Without a name
// these are all but those left out: the ones apart, and those that only root can run.
func choose(names []string, root bool) (chosen, left []suite, err error) {
	if len(names) == 0 {
		for _, s := range suites {
			if s.apart || s.root && !root {
				left = append(left, s)
			} else {
				chosen = append(chosen, s)
			}
		}
		return chosen, left, nil
	}
	for _, s := range suites {
		if i := slices.Index(names, s.name); i >= 0 {
			chosen = append(chosen, s)
			names = slices.Delete(slices.Clone(names), i, i+1)
		}
	}
	if len(names) > 0 {
		return nil, nil, fmt.Errorf("no suite is named %s", strings.Join(names, ", "))
	}
	return chosen, nil, nil
}

// result is what a suite did. Problem is what the counts do not say.
type result struct {
	tally
	problem string
	took    time.Duration
	// cpu is the time of processors that its processes have used, as far as their
	// parents have waited for them.
	cpu time.Duration
}

// summary prints the table and the totals and says whether all is well. A suite
// without a result did not run. What was left out counts as nothing, and is told.
func summary(w io.Writer, chosen []suite, results []result, left []suite) bool {
	passed, failed := 0, 0
	fmt.Fprintf(w, "\n%-14s %7s %7s %9s %9s\n", "suite", "passed", "failed", "time", "CPU")
	for i, s := range chosen {
		r := result{problem: "did not run"}
		if i < len(results) {
			r = results[i]
		}
		if r.problem != "" && r.failed == 0 {
			r.failed = 1
		}
		fmt.Fprintf(w, "%-14s %7d %7d %7.1f s %7.1f s  %s\n", s.name, r.passed, r.failed, r.took.Seconds(), r.cpu.Seconds(), r.problem)
		passed += r.passed
		failed += r.failed
	}
	for _, s := range left {
		why := "NOT RUN: needs root (sudo make " + s.name + ")"
		if s.apart {
			why = "not part of this run: make " + s.name
		}
		fmt.Fprintf(w, "%-14s %7s %7s %9s %9s  %s\n", s.name, "-", "-", "-", "-", why)
	}
	fmt.Fprintf(w, "\n%d passed, %d failed\n", passed, failed)
	return failed == 0
}
