package fault

import (
	"fmt"
	"time"
)

// ED17xx: what is held.

// HoldRefused: the API server takes no held form of the target.
func HoldRefused(target string, err error) *Fault {
	return &Fault{Code: 1701, What: fmt.Sprintf("The cluster does not let %s be held.", target), Evidence: []string{text(err)},
		Do: "Nothing was changed. A quota needs room for one more pod; a policy or a webhook names what it wants (docs/hold.md has the ways out).", Cause: err}
}

// HoldNotStarted: the held copy does not come to stand parked.
func HoldNotStarted(target, state string) *Fault {
	return &Fault{Code: 1702, What: fmt.Sprintf("The held copy of %s does not start.", target), Evidence: []string{plain(state)},
		Do: "It was removed again. Put right what the evidence names: the pod itself would not start now, either."}
}

// CannotHold: it cannot be held in this way.
func CannotHold(target, what, why, fix string) *Fault {
	return &Fault{Code: 1703, What: fmt.Sprintf("%s cannot be held in this way: %s.", upperFirst(target), what), Evidence: []string{why}, Do: upperFirst(fix) + "."}
}

// NothingHeld: there is nothing to be released.
func NothingHeld(target string) *Fault {
	return &Fault{Code: 1704, Command: "envoydbg status", What: fmt.Sprintf("Nothing that you hold belongs to %s.", target), Do: "\"envoydbg status\" lists what is held, and by whom; a name from that list is released whoever holds it."}
}

// HoldLeft: what was held for a session could not be given back.
func HoldLeft(what, command string, err error) *Fault {
	return &Fault{Code: 1705, Command: command, What: fmt.Sprintf("%s is still held.", upperFirst(what)), Evidence: []string{text(err)},
		Do: fmt.Sprintf("Release it: \"%s\".", command), Cause: err}
}

// NotReleased: what is held cannot be released.
func NotReleased(what string, err error) *Fault {
	return &Fault{Code: 1706, What: fmt.Sprintf("%s cannot be released.", upperFirst(what)), Evidence: []string{text(err)},
		Do: "Nothing was changed. Look at the object with \"kubectl get -o yaml\"; its annotation envoydbg.dev/record has what it was.", Cause: err}
}

// HeldAlready: one workload can be held by one only.
func HeldAlready(target, who string, since time.Time) *Fault {
	f := &Fault{Code: 1707, What: fmt.Sprintf("%s is held already.", upperFirst(target)), Evidence: []string{"by " + who},
		Do: "Debug one of its pods, which wait, or hold a copy."}
	if !since.IsZero() {
		f.Evidence[0] += " since " + since.Local().Format(time.DateTime)
	}
	return f
}

// NoHeldForm: a manifest cannot be read, or changed in place.
func NoHeldForm(file string, err error) *Fault {
	return &Fault{Code: 1710, What: fmt.Sprintf("There is no held form of %s.", file), Evidence: []string{text(err)},
		Do: "Write the object without anchors, aliases and merges, or hold the workload in the cluster.", Cause: err}
}
