package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
)

// runAll runs each suite by run, in two lanes side by side: those that wait for most of
// their time, and the others. In a lane they run one after the other, in the order of the
// list, so that two that compute, or two that build the same files, never meet.
//
// What a suite prints is kept and shown in one piece when it ends. Where all suites are in
// one lane it is shown at once. A suite whose turn came after the end of ctx has no result.
func runAll(ctx context.Context, w io.Writer, chosen []suite, run func(context.Context, io.Writer, suite) result) map[string]result {
	lanes := map[bool][]suite{}
	for _, s := range chosen {
		lanes[s.waits] = append(lanes[s.waits], s)
	}
	var mu sync.Mutex // of w and results
	results := map[string]result{}
	var running sync.WaitGroup
	for _, lane := range lanes {
		running.Go(func() {
			for _, s := range lane {
				if ctx.Err() != nil {
					return
				}
				var r result
				if len(lanes) == 1 {
					fmt.Fprintf(w, "\n== %s\n", s.name)
					r = run(ctx, w, s)
				} else {
					mu.Lock()
					fmt.Fprintf(w, "-- %s begins\n", s.name)
					mu.Unlock()
					var output bytes.Buffer
					r = run(ctx, &output, s)
					mu.Lock()
					fmt.Fprintf(w, "\n== %s\n%s", s.name, &output)
					mu.Unlock()
				}
				mu.Lock()
				results[s.name] = r
				mu.Unlock()
			}
		})
	}
	running.Wait()
	return results
}
