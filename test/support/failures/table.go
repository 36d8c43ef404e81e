package failures

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
)

// Row is one failure on one version of LLDB.
type Row struct {
	Phase, What string
	LLDB        int
	Sees        string
	After       time.Duration // until the user sees it
	Gone        time.Duration // from then until nothing is left
}

// Table collects the rows of one test for docs/failures.md.
type Table struct {
	// Phases are in the order of the rows.
	Phases []string

	mu   sync.Mutex
	rows []Row
}

// Add adds a row. Tests that run at once may share a table.
func (r *Table) Add(x Row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, x)
}

// Check compares the rows with the table of that name in docs/failures.md, but
// for the seconds. With UPDATE_DOCS=1 it writes them there. Rows that go test
// -run has left out make it do neither; all is their number.
func (r *Table) Check(t *testing.T, name string, all int) {
	t.Helper()
	if len(r.rows) != all {
		t.Logf("%d of %d rows: not compared with the docs", len(r.rows), all)
		return
	}
	path := checkout.Path(t, "docs/failures.md")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := fmt.Sprintf("<!-- %s: begin -->\n", name), fmt.Sprintf("<!-- %s: end -->\n", name)
	before, rest, ok1 := strings.Cut(string(b), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place %q", path, name)
	}
	now := r.markdown()
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(path, []byte(before+begin+now+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	was, is := strings.Split(timeless(old), "\n"), strings.Split(timeless(now), "\n")
	for _, line := range was {
		if !slices.Contains(is, line) {
			t.Errorf("docs/failures.md says, and it is not so:\n%s", line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			t.Errorf("docs/failures.md does not say (UPDATE_DOCS=1 writes it):\n%s", line)
		}
	}
}

var seconds = regexp.MustCompile(`\d+\.\d+`)

// timeless is a table without its measured seconds.
func timeless(table string) string { return seconds.ReplaceAllString(table, "_") }

func (r *Table) markdown() string {
	order := func(name string) int { return slices.Index(r.Phases, name) }
	slices.SortStableFunc(r.rows, func(a, b Row) int {
		return cmp.Or(order(a.Phase)-order(b.Phase), cmp.Compare(a.What, b.What), a.LLDB-b.LLDB)
	})
	var b strings.Builder
	b.WriteString("| phase | what happens | what the user sees | after (s), LLDB 19 / 22 | nothing left after (s), LLDB 19 / 22 |\n|---|---|---|---|---|\n")
	for i := 0; i < len(r.rows); {
		first := r.rows[i]
		var sees, after, gone []string
		for ; i < len(r.rows) && r.rows[i].Phase == first.Phase && r.rows[i].What == first.What; i++ {
			x := r.rows[i]
			if !slices.Contains(sees, x.Sees) {
				sees = append(sees, x.Sees)
			}
			after = append(after, fmt.Sprintf("%.1f", x.After.Seconds()))
			gone = append(gone, fmt.Sprintf("%.1f", (x.After+x.Gone).Seconds()))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", first.Phase, first.What, strings.Join(sees, "; or: "),
			strings.Join(after, " / "), strings.Join(gone, " / "))
	}
	return b.String()
}
