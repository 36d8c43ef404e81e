package fault

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Fault is one error as the user sees it.
type Fault struct {
	// Code is the stable number, shown as [ED1203] and explained in
	// docs/errors.md.
	Code int
	// What happened, in one sentence.
	What string
	// Evidence lines: what was found, where.
	Evidence []string
	// Do is the one thing to do.
	Do string
	// Attribute is the launch attribute to change, such as "agent.command"; Setting that of
	// VS Code. Command is what to run in a terminal, one line, complete. Each may be empty.
	Attribute, Setting, Command string
	// Kind is InstallLLDB or CancelledByUser, where a client can do more than show the
	// text; else empty.
	Kind string
	// Cause is the underlying error, for the trace; it is not shown.
	Cause error
}

// Kinds of faults.
const (
	InstallLLDB     = "installLldb" // LLDB is missing, or too old
	CancelledByUser = "cancelled"   // the user knows it
)

// Error is the whole text, as a terminal shows it.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.What)
	for _, e := range f.Evidence {
		if e = strings.TrimSpace(e); e != "" {
			b.WriteString("\n  " + strings.ReplaceAll(e, "\n", "\n  "))
		}
	}
	if f.Do != "" {
		b.WriteString("\n" + f.Do)
	}
	return b.String() + " [" + f.ID() + "]"
}

// ID is the number as the user quotes it.
func (f *Fault) ID() string { return fmt.Sprintf("ED%d", f.Code) }

// warnings are the numbers of the faults after which the session goes on.
var warnings = []int{1013, 1017, 1018, 1109, 1319, 1403, 1405, 1409, 1410, 1412, 1413, 1414, 1415, 1416, 1420, 1421, 1501, 1521}

// IsWarning reports whether the session goes on after the fault with that number.
func IsWarning(code int) bool { return slices.Contains(warnings, code) }

var number = regexp.MustCompile(`\[ED(\d{4})\]\s*$`)

// CodeOf is the number of the fault whose text this is, 0 if it is none.
func CodeOf(text string) int {
	m := number.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	code, _ := strconv.Atoi(m[1]) // four digits
	return code
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Cause }

// With returns f with another line of evidence.
func (f *Fault) With(format string, args ...any) *Fault {
	c := *f
	c.Evidence = append(append([]string(nil), f.Evidence...), fmt.Sprintf(format, args...))
	return &c
}

// From returns err's Fault, or one that says that an internal step failed:
// nothing reaches the user without a number.
func From(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return Internal(err)
}

// upperFirst begins a sentence.
func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// IsSessionTaken says whether an error is [SessionTaken].
func IsSessionTaken(err error) bool {
	var f *Fault
	return errors.As(err, &f) && f.Code == 1504
}

// IsHoldLeft says whether an error is [HoldLeft].
func IsHoldLeft(err error) bool {
	var f *Fault
	return errors.As(err, &f) && f.Code == 1705
}
