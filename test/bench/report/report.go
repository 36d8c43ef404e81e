package report

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// Root is the checkout's folder, found from the working directory upwards.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = parent
	}
}

// Replace puts text between the markers of that name in the page at path.
func Replace(path, name, text string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	page, err := replace(string(b), name, text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(page), 0o644)
}

func replace(page, name, text string) (string, error) {
	begin, end := "<!-- begin "+name, "<!-- end "+name+" -->"
	head, rest, ok := strings.Cut(page, begin)
	marker, rest, ok2 := strings.Cut(rest, "-->\n")
	_, tail, ok3 := strings.Cut(rest, end)
	if !ok || !ok2 || !ok3 {
		return "", fmt.Errorf("the markers of %q are not there", name)
	}
	return head + begin + marker + "-->\n" + strings.TrimSpace(text) + "\n" + end + tail, nil
}

// LLDBs are the versions of the LLDBs in bin/tools below root that have these
// major numbers, e.g. "22.1.8", in their own words.
func LLDBs(root string, majors ...int) ([]string, error) {
	var versions []string
	for _, major := range majors {
		server := filepath.Join(root, "bin/tools", fmt.Sprintf("lldb-%d", major), "bin/lldb-server")
		out, err := exec.Command(server, "version").Output()
		if err != nil {
			return nil, fmt.Errorf("%s version: %w", server, err)
		}
		v, ok := lldb.ParseVersion(string(out))
		if !ok || v.Major != major {
			return nil, fmt.Errorf("%s version: %q is not LLDB %d", server, out, major)
		}
		versions = append(versions, v.Text)
	}
	return versions, nil
}

// Conditions says when and where something was measured: no more of the machine
// than what bears on the result. The versions of LLDB are those that take part.
func Conditions(lldb ...string) string {
	var name unix.Utsname
	_ = unix.Uname(&name)
	kernel, _, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), "-")
	with := ""
	if len(lldb) > 0 {
		with = ", LLDB " + strings.Join(lldb, " and ")
	}
	return fmt.Sprintf("Measured %s on %d cores, Linux %s%s; load average at the start %s.",
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), kernel, with, load())
}

func load() string {
	b, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(b), " ")
	return first
}

// Table is a Markdown table, padded so that its source reads well, too. The
// columns from the index numbers on are aligned to the right.
func Table(numbers int, head []string, rows [][]string) string {
	width := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell), 3)
		}
	}
	var b strings.Builder
	write := func(row []string) {
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i >= numbers {
				cell = pad + cell
			} else {
				cell += pad
			}
			b.WriteString("| " + cell + " ")
		}
		b.WriteString("|\n")
	}
	write(head)
	for i, w := range width {
		if i >= numbers {
			b.WriteString("|" + strings.Repeat("-", w+1) + ":")
		} else {
			b.WriteString("|" + strings.Repeat("-", w+2))
		}
	}
	b.WriteString("|\n")
	for _, row := range rows {
		write(row)
	}
	return b.String()
}

// Quantile is the value below which the share q of the values lies (nearest
// rank); 0 for none.
func Quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
