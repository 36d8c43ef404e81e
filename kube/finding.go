package kube

// State is how a check went.
type State string

// The states of a check.
const (
	OK      State = "ok"
	Warning State = "warning" // a session may work
	Failed  State = "failed"  // no session will work
	Unknown State = "unknown" // it could not be found out, which is no failure
)

// Finding is the outcome of one check.
type Finding struct {
	Check string `json:"check"`
	State State  `json:"state"`
	// What was found, and, unless it is OK, why it matters and the one thing to do.
	What string `json:"what"`
	Why  string `json:"why,omitempty"`
	Fix  string `json:"fix,omitempty"`
}
