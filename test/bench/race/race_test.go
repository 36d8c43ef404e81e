package race

import (
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/pidns"
	"github.com/envoydbg/envoydbg/test/support/report"
)

var (
	gateRuns   = flag.Int("gate-runs", 56, "runs of each cell with the gate")
	otherRuns  = flag.Int("other-runs", 40, "runs of each cell without the gate, and by hand")
	page       = flag.String("page", "docs/race.md", "the page to write, from the checkout's folder; empty for none")
	versions   = []int{19, 22}
	crowds     = []int{0, 60, 200}
	execsAfter = []time.Duration{0, time.Millisecond, 5 * time.Millisecond}
	pauses     = []time.Duration{0, 100 * time.Millisecond, 500 * time.Millisecond}
)

func TestMain(m *testing.M) { pidns.Main(m) }

func makeLab(tb testing.TB) *lab {
	tb.Helper()
	l, err := newLab(checkout.Path(tb), tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// A small part of BenchmarkRace, the hardest of its cells for each LLDB.
func TestTheGateMissesNoInstruction(t *testing.T) {
	l := makeLab(t)
	stop, err := l.gather(60)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, version := range versions {
		for range 5 {
			c := &cell{lldb: version, gate: true, crowd: 60}
			out, err := c.run(l)
			if err != nil {
				t.Fatalf("%v: %v", c, err)
			}
			if out.missed || out.began || !out.first {
				t.Errorf("%v: missed %v, main begun %v, at the first instruction %v", c, out.missed, out.began, out.first)
			}
		}
	}
}

// The other cells: checks only that they can be measured.
func TestTheOtherWaysCanBeMeasured(t *testing.T) {
	l := makeLab(t)
	stop, err := l.gather(0)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, version := range versions {
		for _, c := range []*cell{
			{lldb: version, after: 5 * time.Millisecond},
			{lldb: version, recipe: true, after: 500 * time.Millisecond},
		} {
			if _, err := c.run(l); err != nil {
				t.Errorf("%v: %v", c, err)
			}
		}
	}
}

// Without the gate the debugger can come too late for a breakpoint in main. Then
// Envoy stops where it is, and the user is told why; it never just runs on.
func TestALateDebuggerStopsEnvoyWhereItIs(t *testing.T) {
	l := makeLab(t)
	stop, err := l.gather(0)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, version := range versions {
		out, err := l.product(version, session{before: true, stopAt: atMain})
		if err != nil {
			t.Fatalf("LLDB %d: %v", version, err)
		}
		if out.missed || !out.began || !out.late {
			t.Errorf("LLDB %d: missed %v, main begun %v, told so %v", version, out.missed, out.began, out.late)
		}
	}
}

// BenchmarkRace runs every cell and writes the page. Within one size of the
// process list the cells take turns, so that whatever else the machine does affects
// all of them.
func BenchmarkRace(b *testing.B) {
	l := makeLab(b)
	var servers []string
	for _, version := range versions {
		servers = append(servers, filepath.Join(l.lldb(version), "lldb-server"))
	}
	conditions, err := report.Conditions(servers...)
	if err != nil {
		b.Fatal(err)
	}
	var cells []*cell
	var failures []string
	for _, n := range crowds {
		stop, err := l.gather(n)
		if err != nil {
			b.Fatal(err)
		}
		now := cellsOf(n)
		cells = append(cells, now...)
		for round := range max(*gateRuns, *otherRuns) {
			for _, c := range now {
				if c.gate && round >= *gateRuns || !c.gate && round >= *otherRuns {
					continue
				}
				out, err := c.run(l)
				if err != nil {
					failures = append(failures, c.String())
					fmt.Printf("%v, round %d: %v\n", c, round+1, err)
					b.Fail()
					continue
				}
				c.add(out)
			}
			fmt.Printf("%d further processes: round %d done, %d failures\n", n, round+1, len(failures))
		}
		stop()
	}
	text := conditions + "\n\n" + pageText(cells, failures)
	fmt.Println(text)
	gated := sum(cells, func(c *cell) bool { return c.gate })
	b.ReportMetric(float64(gated.missed), "missed")
	b.ReportMetric(float64(gated.began), "begun")
	b.ReportMetric(float64(gated.runs), "gated-runs")
	if *page == "" {
		return
	}
	if err := report.Replace(checkout.Path(b, *page), "race", text); err != nil {
		b.Fatal(err)
	}
}

func cellsOf(crowd int) []*cell {
	var cells []*cell
	for _, version := range versions {
		for i := range execsAfter {
			cells = append(cells,
				&cell{lldb: version, crowd: crowd, gate: true, after: execsAfter[i]},
				&cell{lldb: version, crowd: crowd, after: execsAfter[i]},
				&cell{lldb: version, crowd: crowd, recipe: true, after: pauses[i]})
		}
	}
	return cells
}

func pageText(cells []*cell, failures []string) string {
	ways := []struct {
		name  string
		match func(*cell) bool
	}{
		{"With the gate", func(c *cell) bool { return c.gate }},
		{"Without the gate", func(c *cell) bool { return !c.gate && !c.recipe }},
		{"By hand, without envoydbg", func(c *cell) bool { return c.recipe }},
	}
	var b strings.Builder
	var rows [][]string
	for _, way := range ways {
		s := sum(cells, way.match)
		rows = append(rows, append([]string{way.name}, s.row()[3:7]...))
	}
	b.WriteString(report.Table(1, append([]string{""}, head[3:7]...), rows))
	fmt.Fprintf(&b, "\nRuns that came to no result, for any other reason: %d.", len(failures))
	for _, f := range failures {
		b.WriteString("\n- " + f)
	}
	b.WriteString("\n")
	for _, way := range ways {
		b.WriteString("\n### " + way.name + "\n\n")
		var rows [][]string
		for _, version := range versions {
			for _, c := range cells {
				if way.match(c) && c.lldb == version {
					rows = append(rows, c.row())
				}
			}
		}
		b.WriteString(report.Table(0, head, rows))
	}
	return b.String()
}
