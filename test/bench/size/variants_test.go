package size

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
	"github.com/envoydbg/envoydbg/test/support/report"
)

// variant is a form in which debug information comes.
type variant struct {
	folder, name string
	// init is what LLDB must be told to find it in the folder.
	init func(folder string) []string
}

var variants = []variant{
	{"plain", "in the program", nil},
	{"gz", "compressed (`-gz`)", nil},
	{"debuglink", "a file beside it (debuglink)", nil},
	{"build-id", "a file found by build-id", func(folder string) []string {
		return []string{"settings append target.debug-file-search-paths " + folder}
	}},
	{"dwp", "split, in a .dwp (clang)", nil},
	{"debug-names", "with a merged .debug_names", nil},
	{"gdb-index", "with a .gdb_index", nil},
}

// otherCompiler has a variant whose places and variables are not those of the others.
const otherCompiler = "dwp"

// TestSizeOfVariants measures a smaller program in each form, and writes the page. What the
// debugger says of the stop must be the same for all of them, with and without envoydbg.
func TestSizeOfVariants(t *testing.T) {
	if *some+*own+*set != "" {
		t.Skip("something else is asked for")
	}
	plain := build(t, "variants")
	st, err := os.Stat(plain)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	var servers []string
	for _, lldb := range harness.The.LLDBs {
		if *only != 0 && *only != lldb.Version {
			continue
		}
		servers = append(servers, filepath.Join(filepath.Dir(lldb.DAP), "lldb-server"))
		says := ""
		for _, v := range variants {
			folder := filepath.Join(filepath.Dir(filepath.Dir(plain)), v.folder)
			of := subject{program: filepath.Join(folder, "program"), running: filepath.Join(folder, "program.stripped")}
			if v.init != nil {
				of.init = v.init(folder)
			}
			row := []string{fmt.Sprint(lldb.Version), v.name}
			cache := t.TempDir()
			var alone measured
			for _, w := range ways {
				if w.name == borrowed {
					continue // it is the same process
				}
				m := measure(t, lldb, w, of, cache)
				if !w.armed {
					alone = m
				}
				row = append(row, fmt.Sprintf("%.1f s (%.2f); %.2f GB (%.2f)", m.cpu.Seconds(), m.cpu.Seconds()/alone.cpu.Seconds(),
					float64(m.memory)/1e9, float64(m.memory)/float64(alone.memory)))
				want := &says
				if v.folder == otherCompiler {
					want = &alone.answers
				}
				if *want == "" {
					*want = m.answers
				} else if m.answers != *want {
					t.Errorf("LLDB %d, %s, %s: it says\n%sin place of\n%s", lldb.Version, v.name, w.name, m.answers, *want)
				}
			}
			rows = append(rows, row)
			t.Log(row)
		}
	}
	publish(t, "size-variants", servers, !t.Failed(), fmt.Sprintf("The program has %.2f GB in 1,200 units. Each field: processor time and anonymous memory of lldb-dap\n"+
		"until the stop has its locals, and in brackets the ratio to lldb-dap alone.\n\n%s", float64(st.Size())/1e9,
		report.Table(2, []string{"LLDB", "debug information", "lldb-dap alone", "no index cache", "fills it", "index cache", "one stands by"}, rows)))
}
