package e2e

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// row is one failure on one version of LLDB.
type row struct {
	phase, what string
	version     int
	sees        string
	after       time.Duration // until the user sees it
	gone        time.Duration // from then until nothing is left
}

// table collects the rows of one test for docs/failures.md.
type table struct {
	mu   sync.Mutex
	rows []row
}

func (r *table) add(x row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, x)
}

// check compares the rows with the table of that name in docs/failures.md, but
// for the seconds. With UPDATE_DOCS=1 it writes them there. Rows that go test
// -run has left out make it do neither; all is their number.
func (r *table) check(t *testing.T, name string, all int) {
	t.Helper()
	if len(r.rows) != all {
		t.Logf("%d of %d rows: not compared with the docs", len(r.rows), all)
		return
	}
	path := filepath.Join(harness.The.Root, "docs/failures.md")
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

func (r *table) markdown() string {
	order := func(name string) int { return slices.IndexFunc(stages, func(s stage) bool { return s.name == name }) }
	slices.SortStableFunc(r.rows, func(a, b row) int {
		return cmp.Or(order(a.phase)-order(b.phase), cmp.Compare(a.what, b.what), a.version-b.version)
	})
	var b strings.Builder
	b.WriteString("| phase | what happens | what the user sees | after (s), LLDB 19 / 22 | nothing left after (s), LLDB 19 / 22 |\n|---|---|---|---|---|\n")
	for i := 0; i < len(r.rows); {
		first := r.rows[i]
		var sees, after, gone []string
		for ; i < len(r.rows) && r.rows[i].phase == first.phase && r.rows[i].what == first.what; i++ {
			x := r.rows[i]
			if !slices.Contains(sees, x.sees) {
				sees = append(sees, x.sees)
			}
			after = append(after, fmt.Sprintf("%.1f", x.after.Seconds()))
			gone = append(gone, fmt.Sprintf("%.1f", (x.after+x.gone).Seconds()))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", first.phase, first.what, strings.Join(sees, "; or: "),
			strings.Join(after, " / "), strings.Join(gone, " / "))
	}
	return b.String()
}
