package fault

import "fmt"

// Form is a fault for a client that shows its parts, and what can be done, as it likes.
// docs/dap.md describes it.
type Form struct {
	// ID is the number as the user quotes it: "ED1203".
	ID string `json:"id"`
	// Kind is "installLldb" where LLDB is missing, and "cancelled" where the user has wanted
	// it, so that nothing is shown.
	Kind string `json:"kind,omitempty"`
	// What happened, in one sentence.
	What string `json:"what"`
	// Evidence is what was found, a line each.
	Evidence []string `json:"evidence,omitempty"`
	// Do is the one thing to do.
	Do string `json:"do,omitempty"`
	// Attribute is the launch attribute that it is about, such as "program" or "agent.command".
	Attribute string `json:"attribute,omitempty"`
	// Setting is the setting that it is about, such as "envoy.lldbDap".
	Setting string `json:"setting,omitempty"`
	// Command is one to paste into a terminal.
	Command string `json:"command,omitempty"`
	// Page is where the docs explain it: "docs/errors.md#ed1203".
	Page string `json:"page"`
}

// Form gives the fault's parts.
func (f *Fault) Form() Form {
	return Form{ID: f.ID(), Kind: f.Kind, What: f.What, Evidence: f.Evidence, Do: f.Do, Attribute: f.Attribute, Setting: f.Setting,
		Command: f.Command, Page: fmt.Sprintf("docs/errors.md#ed%d", f.Code)}
}
