package command

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/kube"
)

// findings prints findings for people, as wide as the terminal.
func findings(w io.Writer, found []kube.Finding) error { return printTable(w, found, width(w)) }

// width is how many characters a line may have; 0 for any number.
func width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// narrow is the least width of the last column.
const narrow = 40

// printTable prints a row for each check, and below it why it matters and what to do. A
// command to paste is not broken into lines.
func printTable(w io.Writer, found []kube.Finding, width int) error {
	check, state := len("CHECK"), len("STATE")
	for _, f := range found {
		check, state = max(check, len(f.Check)), max(state, len(f.State))
	}
	const gap = 3 // kubectl's
	indent := strings.Repeat(" ", check+state+2*gap)
	column := 0
	if width > 0 {
		column = max(width-len(indent), narrow)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-*s%-*s%s\n", check+gap, "CHECK", state+gap, "STATE", "FOUND")
	for _, f := range found {
		fmt.Fprintf(&b, "%-*s%-*s%s\n", check+gap, f.Check, state+gap, f.State, wrap(f.What, indent, column))
		if f.Why != "" {
			fmt.Fprintf(&b, "%s%s\n", indent, "why: "+wrap(f.Why, indent+"     ", column-5))
		}
		if f.Fix != "" {
			n := column - 5
			if isCommand(f.Fix) {
				n = 0
			}
			fmt.Fprintf(&b, "%s%s\n", indent, "fix: "+wrap(f.Fix, indent+"     ", n))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// option is how the user gives a launch attribute a value: "--program FILE" on a command
// line, and the attribute's name in an editor.
func option(attribute, value string) string {
	name := fault.Name(attribute)
	if strings.HasPrefix(name, "--") {
		name += " " + value
	}
	return name
}

// isCommand says whether a fix is to be pasted.
func isCommand(fix string) bool {
	for _, program := range []string{"kubectl ", "envoydbg ", "git "} {
		if strings.HasPrefix(fix, program) {
			return true
		}
	}
	return false
}

// wrap breaks a text between words into lines of at most n characters, 0 for one line.
// All but the first are indented.
func wrap(text, indent string, n int) string {
	words := strings.Fields(text)
	if n <= 0 {
		return strings.Join(words, " ")
	}
	var b strings.Builder
	at := 0
	for i, word := range words {
		long := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+long > n:
			b.WriteString("\n" + indent)
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += long
	}
	return b.String()
}
