package fault

import "fmt"

// Form is a fault for a client that shows its parts, and what can be done, as it likes.
// docs/dap.md describes it.
type Form struct {
	// ID is the number as the user quotes it: "ED1203".
	ID       string   `json:"id"`
	Kind     string   `json:"kind,omitempty"`
	What     string   `json:"what"`
	Evidence []string `json:"evidence,omitempty"`
	Do       string   `json:"do,omitempty"`
	// Attribute, Setting and Command are those of the Fault.
	Attribute string `json:"attribute,omitempty"`
	Setting   string `json:"setting,omitempty"`
	Command   string `json:"command,omitempty"`
	// Page is where the docs explain it: "docs/errors.md#ed1203".
	Page string `json:"page"`
}

// Form gives the fault's parts.
func (f *Fault) Form() Form {
	return Form{ID: f.ID(), Kind: f.Kind, What: f.What, Evidence: f.Evidence, Do: f.Do, Attribute: f.Attribute, Setting: f.Setting,
		Command: f.Command, Page: fmt.Sprintf("docs/errors.md#ed%d", f.Code)}
}
