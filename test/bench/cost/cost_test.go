package cost

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/pidns"
	"github.com/envoydbg/envoydbg/test/support/report"
)

var (
	rounds = flag.Int("rounds", 1000, "requests of each kind, on each side")
	steps  = flag.Int("steps", 200, "steps on each side")
	proxy  = flag.String("envoydbg", "bin/envoydbg", "the envoydbg to measure, from the checkout's folder")
	only   = flag.String("only", "", "measure only the ways whose name contains this")
	page   = flag.String("page", "docs/proxy-cost.md", "the page to write, from the checkout's folder; empty for none")
)

// versions of LLDB that are measured.
var versions = []int{19, 22}

var commands = []string{"threads", "stackTrace", "scopes", "variables"}

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == copyCommand {
		os.Exit(copyBytes(os.Args[2]))
	}
	pidns.Main(m)
}

// series are the times of one kind of request, of each side.
type series [sides][]time.Duration

// added is how much later than the direct one the answer of a side comes, at
// quantile q. In a round the sides take turns, and a later one finds more of its
// program in the processor's caches. A median over all rounds could lie anywhere
// between the times of first, second and third, so this is the mean of the
// differences at each place.
func (s *series) added(side int, q float64) time.Duration {
	var sum time.Duration
	for place := range sides {
		sum += report.Quantile(s.at(side, place), q) - report.Quantile(s.at(direct, place), q)
	}
	return sum / sides
}

// at are the times of the rounds in which the side was at that place.
func (s *series) at(side, place int) []time.Duration {
	var out []time.Duration
	for round, d := range s[side] {
		if turn(round, place) == side {
			out = append(out, d)
		}
	}
	return out
}

// turn is the side whose turn it is at a place of a round.
func turn(round, place int) int { return (round + place) % sides }

// ratio is the wall time of a side against the direct one.
func (s *series) ratio(side int) float64 {
	var d, p time.Duration
	for i := range s[direct] {
		d, p = d+s[direct][i], p+s[side][i]
	}
	return float64(p) / float64(d)
}

// measure runs one session of each side.
func measure(tb testing.TB, w way, lldb, rounds, steps int) map[string]*series {
	tb.Helper()
	// Not tb.TempDir, whose path is too long for unix sockets.
	dir, err := os.MkdirTemp("", "cost-")
	if err != nil {
		tb.Fatal(err)
	}
	defer os.RemoveAll(dir)
	p, err := find(checkout.Path(tb), dir, *proxy, lldb)
	if err != nil {
		tb.Fatal(err)
	}
	var open [sides]*session
	var requests [sides]map[string]any
	for side, begin := range w.begin {
		if open[side], err = begin(p); err != nil {
			tb.Fatal(err)
		}
		defer func() {
			if err := open[side].close(); err != nil {
				tb.Error(err)
			}
		}()
		if requests[side], err = open[side].requests(); err != nil {
			tb.Fatal(err)
		}
	}
	all := map[string]*series{"next": {}}
	for _, command := range commands {
		all[command] = &series{}
	}
	took := func(command string, side int, d time.Duration, err error) {
		if err != nil {
			tb.Fatal(err)
		}
		all[command][side] = append(all[command][side], d)
	}
	for round := range rounds {
		for place := range sides {
			// At a stop an editor sends all of these to its debugger, each when
			// the previous one is answered. If the sides took turns after each
			// request, none would find its program in the processor's caches.
			side := turn(round, place)
			for _, command := range commands {
				d, err := open[side].timed(command, requests[side][command])
				took(command, side, d, err)
			}
		}
	}
	for round := range steps {
		for place := range sides {
			side := turn(round, place)
			d, err := open[side].step()
			took("next", side, d, err)
		}
	}
	return all
}

// Every request is answered on each side. The times are not checked here, because
// other tests run at the same time.
func TestEachSideCanBeMeasured(t *testing.T) {
	for _, lldb := range versions {
		for _, w := range ways {
			all := measure(t, w, lldb, 3, 3)
			for command, s := range all {
				for side, times := range s {
					if len(times) != 3 {
						t.Errorf("LLDB %d, %s, %s, side %d: %d times, want 3", lldb, w.name, command, side, len(times))
					}
				}
			}
		}
	}
}

// BenchmarkCost measures everything and writes the page.
func BenchmarkCost(b *testing.B) {
	var servers []string
	for _, lldb := range versions {
		servers = append(servers, checkout.Path(b, fmt.Sprintf("bin/tools/lldb-%d/bin/lldb-server", lldb)))
	}
	conditions, err := report.Conditions(servers...)
	if err != nil {
		b.Fatal(err)
	}
	var text strings.Builder
	text.WriteString(conditions + "\n")
	for _, w := range ways {
		if !strings.Contains(w.name, *only) {
			continue
		}
		fmt.Fprintf(&text, "\n### %s%s\n\n", strings.ToUpper(w.name[:1]), w.name[1:])
		var rows [][]string
		var sums []string
		for _, lldb := range versions {
			all := measure(b, w, lldb, *rounds, *steps)
			for _, command := range append(commands, "next") {
				rows = append(rows, row(lldb, command, all[command]))
			}
			next := all["next"]
			sums = append(sums, fmt.Sprintf("LLDB %d: %.3f (copied %.3f)", lldb, next.ratio(proxied), next.ratio(copied)))
			b.ReportMetric(next.ratio(proxied), fmt.Sprintf("%s-%d-ratio", strings.Fields(w.name)[0], lldb))
		}
		text.WriteString(report.Table(2, []string{"LLDB", "request", "rounds", "direct p50", "p90", "p99", "copied: added at p50", "p90", "envoydbg: added at p50", "p90", "p99"}, rows))
		fmt.Fprintf(&text, "\nWall time of %d steps, against direct: %s.\n", *steps, strings.Join(sums, "; "))
	}
	fmt.Println(text.String())
	if *page == "" {
		return
	}
	if err := report.Replace(checkout.Path(b, *page), "cost", text.String()); err != nil {
		b.Fatal(err)
	}
}

func row(lldb int, command string, s *series) []string {
	us := func(d time.Duration) string { return fmt.Sprintf("%.0f µs", float64(d.Nanoseconds())/1000) }
	row := []string{fmt.Sprint(lldb), command, fmt.Sprint(len(s[direct]))}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		row = append(row, us(report.Quantile(s[direct], q)))
	}
	for _, q := range []float64{0.5, 0.9} {
		row = append(row, us(s.added(copied, q)))
	}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		row = append(row, us(s.added(proxied, q)))
	}
	return row
}
