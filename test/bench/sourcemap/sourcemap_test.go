package sourcemap

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/report"
)

var (
	rounds = flag.Int("rounds", 20, "runs of linetable, cold and warm each")
	page   = flag.String("page", "docs/sourcemap-cost.md", "the page to write, from the checkout's folder; empty for none")
)

// setUp builds the program of a size, and the command read.
func setUp(tb testing.TB, size string) (program string, all []reader) {
	tb.Helper()
	build := exec.Command("../program/build.sh", size)
	build.Stderr = os.Stderr
	out, err := build.Output()
	if err != nil {
		tb.Fatal(err)
	}
	read := filepath.Join(tb.TempDir(), "read")
	if out, err := exec.Command("go", "build", "-o", read, "./read").CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(string(out)), readers(read)
}

func run(tb testing.TB, r reader, program string) result {
	tb.Helper()
	res, err := r.run(program)
	if err != nil {
		tb.Fatal(err)
	}
	return res
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// The reader finds the same files as the peers, and needs little memory and reads
// little. The times are not checked here, because other tests run at the same time.
func TestFilesAreThoseOfThePeers(t *testing.T) {
	program, all := setUp(t, "small")
	st, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	ours := run(t, all[0], program)
	for _, peer := range all[1:3] {
		if theirs := run(t, peer, program); !maps.Equal(ours.files, theirs.files) {
			t.Errorf("%d files, %s has %d; one side alone: %v", len(ours.files), peer.name, len(theirs.files), difference(ours.files, theirs.files))
		}
	}
	if len(ours.files) < 300 {
		t.Errorf("only %d files", len(ours.files))
	}
	if ours.memory > 12e6 {
		t.Errorf("%s of memory, more than 12 MB", megabytes(ours.memory))
	}
	if ours.read > st.Size()/50 {
		t.Errorf("%s read of %s", megabytes(ours.read), megabytes(st.Size()))
	}
}

// difference lists what is in one set alone.
func difference(a, b map[string]bool) (only []string) {
	for _, pair := range [][2]map[string]bool{{a, b}, {b, a}} {
		for path := range pair[0] {
			if !pair[1][path] {
				only = append(only, path)
			}
		}
	}
	return only
}

// BenchmarkRead measures everything and writes the page.
func BenchmarkRead(b *testing.B) {
	program, all := setUp(b, "big")
	st, err := os.Stat(program)
	if err != nil {
		b.Fatal(err)
	}
	conditions, err := report.Conditions()
	if err != nil {
		b.Fatal(err)
	}
	ours := run(b, all[0], program)
	var rows [][]string
	row := func(name string, times []time.Duration, res result) {
		ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
		same, missing := "equal", 0
		for path := range ours.files {
			if !res.files[path] {
				missing++
			}
		}
		if len(difference(ours.files, res.files)) > 0 {
			same = fmt.Sprintf("%d missing", missing)
		}
		rows = append(rows, []string{name, fmt.Sprint(len(times)), ms(report.Quantile(times, 0.5)), ms(report.Quantile(times, 0.9)),
			megabytes(res.memory), fmt.Sprint(len(res.files)), same})
	}
	var cold, warm []time.Duration
	for range *rounds {
		if err := evict(program); err != nil {
			b.Fatal(err)
		}
		cold = append(cold, run(b, all[0], program).took)
		warm = append(warm, run(b, all[0], program).took)
	}
	row(all[0].name+", cold", cold, ours)
	row(all[0].name+", warm", warm, ours)
	for _, peer := range all[1:] {
		// The first run warms the page cache.
		res := run(b, peer, program)
		var times []time.Duration
		for range 3 {
			times = append(times, run(b, peer, program).took)
		}
		row(peer.name+", warm", times, res)
	}
	b.ReportMetric(float64(report.Quantile(cold, 0.5).Microseconds())/1000, "cold-ms")
	b.ReportMetric(float64(report.Quantile(warm, 0.5).Microseconds())/1000, "warm-ms")
	text := fmt.Sprintf("%s\n\nThe program has %s; linetable read %s of it.\n\n%s", conditions, megabytes(st.Size()), megabytes(ours.read),
		report.Table(1, []string{"reader", "runs", "p50", "p90", "memory", "files", "set"}, rows))
	fmt.Println(text)
	if *page == "" {
		return
	}
	if err := report.Replace(checkout.Path(b, *page), "sourcemap-cost", text); err != nil {
		b.Fatal(err)
	}
}
