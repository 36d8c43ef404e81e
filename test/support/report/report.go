package report

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

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
