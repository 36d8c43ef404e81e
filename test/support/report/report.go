package report

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
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

// Conditions says when and where something was measured, and with which versions
// of LLDB: those of the lldb-servers at these paths. It says no more of the
// machine than matters for the result.
func Conditions(lldbServers ...string) (string, error) {
	var name unix.Utsname
	_ = unix.Uname(&name)
	kernel, _, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), "-")
	var versions []string
	for _, server := range lldbServers {
		out, err := exec.Command(server, "version").CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("%s version: %w", server, err)
		}
		version := lldbVersion.FindString(string(out))
		if version == "" {
			return "", fmt.Errorf("%s version prints no version: %q", server, out)
		}
		versions = append(versions, version)
	}
	with := ""
	if len(versions) > 0 {
		with = ", LLDB " + strings.Join(versions, " and ")
	}
	return fmt.Sprintf("Measured %s on %d cores, Linux %s%s; load average at the start %s.",
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), kernel, with, Load()), nil
}

// lldbVersion matches the version in what lldb-server prints, which also names
// the compiler's commit.
var lldbVersion = regexp.MustCompile(`\b\d+\.\d+\.\d+\b`)

// Load is the load average of the last minute.
func Load() string {
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
