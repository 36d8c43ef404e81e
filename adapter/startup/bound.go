package startup

import (
	"fmt"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/breakpoints"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// maxNamed is how many breakpoints the detail of the phase names.
const maxNamed = 8

// tellBound tells the user, before Envoy runs, which breakpoints are not bound and
// why. It returns how many are, in a few words.
func (s *Startup) tellBound(all []breakpoints.State) string {
	bound := 0
	var why, failed, pending []string
	for _, b := range all {
		switch {
		case b.Bound:
			bound++
		case b.Pending:
			pending = append(pending, b.Name)
			why = append(why, fmt.Sprintf("%s is pending: %s", b.Name, b.Text))
		default:
			failed = append(failed, b.Name)
			why = append(why, fmt.Sprintf("%s: %s", b.Name, b.Text))
		}
	}
	switch {
	case len(all) == 0:
		return "none set"
	case len(failed) > 0:
		s.host.Fault(fault.NotAllBound(bound, len(all), why))
	case len(pending) > 0:
		s.host.Output(console, fmt.Sprintf("%d of %d breakpoints are bound.\n  %s\n", bound, len(all), strings.Join(why, "\n  ")))
	}
	return fmt.Sprintf("%d of %d verified", bound, len(all)) + named("not bound", failed) + named("pending", pending)
}

// named is "; pending: a, b".
func named(what string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	said := "; " + what + ": " + strings.Join(names[:min(maxNamed, len(names))], ", ")
	if more := len(names) - maxNamed; more > 0 {
		said += fmt.Sprintf(" and %d more", more)
	}
	return said
}
