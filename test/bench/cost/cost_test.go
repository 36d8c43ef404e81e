package cost

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/bench/report"
	"github.com/envoydbg/envoydbg/test/pidns"
)

var (
	rounds = flag.Int("rounds", 1000, "requests of each kind, on each side")
	steps  = flag.Int("steps", 200, "steps on each side")
	proxy  = flag.String("envoydbg", "bin/envoydbg", "the envoydbg to measure, from the checkout's folder")
	only   = flag.String("only", "", "measure only the ways whose name contains this")
	page   = flag.String("page", "docs/proxy-cost.md", "the page to write, from the checkout's folder; empty for none")
)

var commands = []string{"threads", "stackTrace", "scopes", "variables"}

func TestMain(m *testing.M) { pidns.Main(m) }

// series are the times of one kind of request on both sides, pair by pair.
type series struct{ direct, proxied []time.Duration }

func (s *series) add(direct, proxied time.Duration) {
	s.direct, s.proxied = append(s.direct, direct), append(s.proxied, proxied)
}

// pair measures both sides of one pair, in turns.
func (s *series) pair(round int, direct, proxied func() (time.Duration, error)) error {
	var d, p time.Duration
	var err1, err2 error
	if round%2 == 0 {
		d, err1 = direct()
		p, err2 = proxied()
	} else {
		p, err2 = proxied()
		d, err1 = direct()
	}
	s.add(d, p)
	return errors.Join(err1, err2)
}

func (s *series) ratio() float64 {
	var d, p time.Duration
	for i := range s.direct {
		d, p = d+s.direct[i], p+s.proxied[i]
	}
	return float64(p) / float64(d)
}

// measure runs one pair of sessions.
func measure(tb testing.TB, w way, lldb, rounds, steps int) map[string]*series {
	tb.Helper()
	root, err := report.Root()
	if err != nil {
		tb.Fatal(err)
	}
	// Not tb.TempDir, whose path is too long for unix sockets.
	dir, err := os.MkdirTemp("", "cost-")
	if err != nil {
		tb.Fatal(err)
	}
	defer os.RemoveAll(dir)
	p, err := find(root, dir, *proxy, lldb)
	if err != nil {
		tb.Fatal(err)
	}
	open := func(f func(parts) (*session, error)) *session {
		s, err := f(p)
		if err != nil {
			tb.Fatal(err)
		}
		return s
	}
	direct := open(w.direct)
	proxied := open(w.proxied)
	defer func() {
		if err := errors.Join(direct.close(), proxied.close()); err != nil {
			tb.Error(err)
		}
	}()
	all := map[string]*series{"next": {}}
	for _, command := range commands {
		all[command] = &series{}
	}
	directly, err1 := direct.requests()
	through, err2 := proxied.requests()
	if err := errors.Join(err1, err2); err != nil {
		tb.Fatal(err)
	}
	for round := range rounds {
		for _, command := range commands {
			if err := all[command].pair(round,
				func() (time.Duration, error) { return direct.timed(command, directly[command]) },
				func() (time.Duration, error) { return proxied.timed(command, through[command]) }); err != nil {
				tb.Fatal(err)
			}
		}
	}
	for round := range steps {
		if err := all["next"].pair(round, direct.step, proxied.step); err != nil {
			tb.Fatal(err)
		}
	}
	return all
}

// Every request is answered on both sides; their times are not judged here,
// where other tests run at the same time.
func TestBothSidesCanBeMeasured(t *testing.T) {
	for _, lldb := range []int{19, 22} {
		for _, w := range ways {
			all := measure(t, w, lldb, 3, 3)
			for command, s := range all {
				if len(s.direct) != 3 || len(s.proxied) != 3 {
					t.Errorf("LLDB %d, %s, %s: %d and %d times, want 3", lldb, w.name, command, len(s.direct), len(s.proxied))
				}
			}
		}
	}
}

// BenchmarkCost measures everything and writes the page.
func BenchmarkCost(b *testing.B) {
	var text strings.Builder
	text.WriteString(report.Conditions("19.1.7", "22.1.8") + "\n")
	for _, w := range ways {
		if !strings.Contains(w.name, *only) {
			continue
		}
		fmt.Fprintf(&text, "\n### %s%s\n\n", strings.ToUpper(w.name[:1]), w.name[1:])
		var rows [][]string
		var sums []string
		for _, lldb := range []int{19, 22} {
			all := measure(b, w, lldb, *rounds, *steps)
			for _, command := range append(commands, "next") {
				rows = append(rows, row(lldb, command, all[command]))
			}
			sums = append(sums, fmt.Sprintf("LLDB %d: %.3f", lldb, all["next"].ratio()))
			b.ReportMetric(all["next"].ratio(), fmt.Sprintf("%s-%d-ratio", strings.Fields(w.name)[0], lldb))
		}
		text.WriteString(report.Table(2, []string{"LLDB", "request", "pairs", "direct p50", "p90", "p99", "added at p50", "p90", "p99"}, rows))
		fmt.Fprintf(&text, "\nWall time of %d steps, through envoydbg against direct: %s.\n", *steps, strings.Join(sums, "; "))
	}
	fmt.Println(text.String())
	if *page == "" {
		return
	}
	root, err := report.Root()
	if err == nil {
		err = report.Replace(filepath.Join(root, *page), "cost", text.String())
	}
	if err != nil {
		b.Fatal(err)
	}
}

func row(lldb int, command string, s *series) []string {
	us := func(d time.Duration) string { return fmt.Sprintf("%.0f µs", float64(d.Nanoseconds())/1000) }
	row := []string{fmt.Sprint(lldb), command, fmt.Sprint(len(s.direct))}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		row = append(row, us(report.Quantile(s.direct, q)))
	}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		row = append(row, us(report.Quantile(s.proxied, q)-report.Quantile(s.direct, q)))
	}
	return row
}
