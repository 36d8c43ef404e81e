package dapio

import (
	"slices"
	"testing"

	"github.com/tidwall/gjson"
)

func TestEdits(t *testing.T) {
	const raw = ` {"type":"event","body":{"a":{"path":"/x"},"b":[{},{"path":"/y"}, { } ],"n":1},"seq":7, "event":"e"}`
	m := message(t, raw)
	a, b := m.Get("body.a"), m.Get("body.b")
	for _, test := range []struct {
		name  string
		edits []Edit
		want  string
	}{
		{"none", nil, raw},
		{"a longer and a shorter value, in any order", []Edit{Replace(b.Get("1.path"), []byte(`""`)), Replace(a.Get("path"), []byte(`"/longer"`))},
			` {"type":"event","body":{"a":{"path":"/longer"},"b":[{},{"path":""}, { } ],"n":1},"seq":7, "event":"e"}`},
		{"a member of an object", []Edit{InsertInto(a, []byte(`"k":1`))},
			` {"type":"event","body":{"a":{"k":1,"path":"/x"},"b":[{},{"path":"/y"}, { } ],"n":1},"seq":7, "event":"e"}`},
		{"a member of empty objects", []Edit{InsertInto(b.Get("0"), []byte(`"k":1`)), InsertInto(b.Get("2"), []byte(`"k":2`))},
			` {"type":"event","body":{"a":{"path":"/x"},"b":[{"k":1},{"path":"/y"}, {"k":2 } ],"n":1},"seq":7, "event":"e"}`},
		{"a member and a value of the same object", []Edit{InsertInto(a, []byte(`"k":1`)), Replace(a.Get("path"), []byte(`2`))},
			` {"type":"event","body":{"a":{"k":1,"path":2},"b":[{},{"path":"/y"}, { } ],"n":1},"seq":7, "event":"e"}`},
		{"two values side by side", []Edit{Replace(a, []byte(`1`)), Replace(b, []byte(`2`))},
			` {"type":"event","body":{"a":1,"b":2,"n":1},"seq":7, "event":"e"}`},
		{"a member of what is no object", []Edit{InsertInto(b, []byte(`"k":1`)), InsertInto(m.Get("nowhere"), []byte(`"k":1`))}, raw},
		{"a value that is not there", []Edit{Replace(m.Get("nowhere"), []byte(`1`))}, raw},
		{"a value of another message", []Edit{Replace(message(t, `{"x":1}`).Get("x"), []byte(`2`)),
			Replace(gjson.Result{Type: gjson.Number, Raw: "1", Index: 1000}, []byte(`2`))}, raw},
		{"a value made by gjson", []Edit{Replace(m.Get("body.b.#"), []byte(`2`)), Replace(m.Get("body.b.#.path"), []byte(`2`))}, raw},
		{"a value within a replaced one", []Edit{Replace(a, []byte(`1`)), Replace(a.Get("path"), []byte(`2`))},
			` {"type":"event","body":{"a":1,"b":[{},{"path":"/y"}, { } ],"n":1},"seq":7, "event":"e"}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := slices.Clone(test.edits)
			got := m.Apply(test.edits)
			if string(got.Raw) != test.want || got.Type != Event || got.Name != "e" || got.Seq != 7 {
				t.Errorf("got %s of type %q, name %q, seq %d\nwant %s", got.Raw, got.Type, got.Name, got.Seq, test.want)
			}
			if again := got.splice(nil, got.renumber(12, 0)); string(again) != string(message(t, test.want).splice(nil, message(t, test.want).renumber(12, 0))) {
				t.Errorf("renumbered it is %s", again)
			}
			if string(m.Raw) != raw {
				t.Errorf("the message itself has changed: %s", m.Raw)
			}
			if (got == m) != (len(test.edits) == 0) {
				t.Error("a message is to be copied for a change, and not for none")
			}
			if len(before) > 1 && before[0].at != test.edits[0].at {
				t.Error("the caller's edits were put in another order")
			}
		})
	}
}
