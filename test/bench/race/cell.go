package race

import (
	"fmt"
	"time"

	"github.com/envoydbg/envoydbg/test/support/report"
)

// cell is one combination of conditions, and what its runs showed.
type cell struct {
	lldb   int
	recipe bool // by hand; then after is the pause
	gate   bool
	crowd  int
	after  time.Duration

	runs, missed, began, first int
	lag, toStop                []time.Duration
}

func (c *cell) add(o outcome) {
	c.runs++
	if o.missed {
		c.missed++
		return
	}
	if o.began {
		c.began++
	}
	if o.first {
		c.first++
	}
	c.lag, c.toStop = append(c.lag, o.lag), append(c.toStop, o.toStop)
}

func (c *cell) run(l *lab) (outcome, error) {
	if c.recipe {
		return l.recipe(c.lldb, c.after)
	}
	return l.product(c.lldb, session{gate: c.gate, after: c.after})
}

func (c *cell) String() string {
	what := "recipe"
	switch {
	case c.gate:
		what = "gate"
	case !c.recipe:
		what = "no gate"
	}
	return fmt.Sprintf("LLDB %d, %s, %d further processes, %v", c.lldb, what, c.crowd, c.after)
}

var head = []string{"LLDB", "further processes", "exec after", "runs", "missed", "main begun at the stop", "at the first instruction",
	"exec late by p50", "exec to stop p50", "p95", "max"}

func (c *cell) row() []string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
	row := []string{fmt.Sprint(c.lldb), fmt.Sprint(c.crowd), fmt.Sprintf("%d ms", c.after.Milliseconds()),
		fmt.Sprint(c.runs), fmt.Sprint(c.missed), fmt.Sprint(c.began), fmt.Sprint(c.first)}
	if len(c.toStop) == 0 {
		return append(row, "–", "–", "–", "–")
	}
	late := report.Quantile(c.lag, 0.5) - c.after
	return append(row, fmt.Sprintf("%.2f ms", float64(late.Microseconds())/1000),
		ms(report.Quantile(c.toStop, 0.5))+" ms", ms(report.Quantile(c.toStop, 0.95)), ms(report.Quantile(c.toStop, 1)))
}

// sum is the cells that match, as one.
func sum(cells []*cell, match func(*cell) bool) cell {
	var s cell
	for _, c := range cells {
		if match(c) {
			s.runs, s.missed, s.began, s.first = s.runs+c.runs, s.missed+c.missed, s.began+c.began, s.first+c.first
			s.toStop = append(s.toStop, c.toStop...)
		}
	}
	return s
}
