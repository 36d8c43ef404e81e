package hold

import (
	"encoding/json"
	"fmt"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// Label is on everything that is held; its value is the kind.
	Label = "envoydbg.dev/hold"
	// Annotation has the Record as JSON.
	Annotation = "envoydbg.dev/record"
)

// Kinds of what is held.
const (
	KindCopy     = "copy"     // a pod made for it
	KindWorkload = "workload" // a workload whose pods come up parked
)

// Record says who holds something, and what it was.
type Record struct {
	Who   string    `json:"who"`   // for example "ann@laptop"
	Since time.Time `json:"since"` // in UTC
	// Until is when the cluster itself ends a copy; zero for a workload.
	Until time.Time `json:"until,omitzero"`
	// Target is what was to be held, as kubectl names it: "statefulset/fortio-server".
	Target string `json:"target"`
	// Container is the one that is parked.
	Container string `json:"container"`
	// Command is what the container runs when it is not held, its arguments included;
	// empty for what the image says, or where that is not known.
	Command []string `json:"command,omitempty"`
	// Capture is the one whose connections a copy's Envoy gets, "uid 1000"; empty for what
	// the pod says.
	Capture string `json:"capture,omitempty"`
	// Session says that a session has made it for itself, and gives it back at its end.
	Session bool `json:"session,omitempty"`
	// Edits are how a workload was changed. They are not in its pods' records.
	Edits []Edit `json:"edits,omitempty"`
}

// Read returns the record of an object, nil for one that is not held. The error is for a
// record that somebody has changed.
func Read(o meta.Object) (*Record, error) {
	text, ok := o.GetAnnotations()[Annotation]
	if _, held := o.GetLabels()[Label]; !ok || !held {
		return nil, nil
	}
	var r Record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, fmt.Errorf("the annotation %s of %s cannot be read: %w", Annotation, o.GetName(), err)
	}
	return &r, nil
}

// text is the record as the annotation has it.
func (r *Record) text() string {
	b, err := json.Marshal(r)
	if err != nil {
		panic(err) // strings and times
	}
	return string(b)
}
