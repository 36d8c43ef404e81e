package fault

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// command is a whole command in what to do: no word of it stands for something else.
var command = regexp.MustCompile(`"((?:apt|chmod|envoydbg|kubectl get|lldb-server|make|namei|ps|sysctl|ulimit) [^"]*)"`)

// placeholder is a word that the reader replaces.
var placeholder = regexp.MustCompile(`\b[A-Z]{3,}\b`)

// What a text tells its reader to run or to change, a client's buttons get as it is.
func TestWhatToDoIsApartForButtons(t *testing.T) {
	// What a command of these shows is not what mends them.
	shown := map[string]bool{"AgentLeft": true, "NotReleased": true, "NoSession": true, "InUse": true, "HelperUnreached": true, "BadClient": true,
		"NoResponse": true, "Parked": true, "NotListening": true, "Internal": true}
	for name, f := range each {
		form := f.Form()
		if m := command.FindStringSubmatch(f.Do); m != nil && !placeholder.MatchString(m[1]) && !shown[name] && form.Command != m[1] {
			t.Errorf("%s says to run %q, and its command is %q", name, m[1], form.Command)
		}
		if form.Command != "" && !strings.Contains(f.Do, form.Command) {
			t.Errorf("%s has the command %q, and does not say so: %s", name, form.Command, f.Do)
		}
		if m := attribute.FindStringSubmatch(f.Do); m != nil && m[1] != "" && form.Attribute == "" {
			t.Errorf("%s speaks of the attribute %q, and names none", name, m[1])
		}
	}
}

func TestTheFormOfAFault(t *testing.T) {
	got, err := json.Marshal(NoLLDBDap("lldb-dap in PATH").Form())
	want := `{"id":"ED1101","kind":"installLldb","what":"lldb-dap was not found.","evidence":["tried lldb-dap in PATH"],` +
		`"do":"Install LLDB 19 or newer (\"apt install lldb-19\"), or set \"lldbDap\" to the program.","attribute":"lldbDap",` +
		`"setting":"envoy.lldbDap","command":"apt install lldb-19","page":"docs/errors.md#ed1101"}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, err := json.Marshal(Cancelled().Form()); err != nil || strings.Contains(string(got), `""`) {
		t.Errorf("an empty part is there: %s", got)
	}
}
