package fault

import (
	"fmt"
	"strings"
)

// tail adds the last lines of a program's stderr, or its cause, as evidence.
func (f *Fault) tail(stderr string, cause error) *Fault {
	if s := strings.TrimSpace(stderr); s != "" {
		return f.With("%s", s)
	}
	if cause != nil {
		return f.With("%s", text(cause))
	}
	return f
}

// beside is a path behind the name of its attribute, as wide as the longer one of two.
func beside(attribute, path string) string {
	return fmt.Sprintf("%-*s  %s", max(len(column("program")), len(column("envoyPath"))), column(attribute), path)
}

// column is an attribute's name without quotes.
func column(attribute string) string { return strings.Trim(Name(attribute), `"`) }

func orNone(id string) string {
	if id == "" {
		return "(none)"
	}
	return id
}
