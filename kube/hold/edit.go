package hold

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Edit is one change of an object: what stands at a path when it is held, and what stood
// there before.
type Edit struct {
	Path []string `json:"path"` // names of fields, and indices of lists
	// Was and Held are JSON; nil for nothing there.
	Was  json.RawMessage `json:"was,omitempty"`
	Held json.RawMessage `json:"held,omitempty"`
}

// String is the path as people write it.
func (e Edit) String() string { return strings.Join(e.Path, ".") }

// Operation is one of a JSON patch (RFC 6902).
type Operation struct {
	Op   string `json:"op"` // add, replace or remove
	Path string `json:"path"`
	// Value is JSON; nil for remove.
	Value json.RawMessage `json:"value,omitempty"`
}

// ChangedError: others have changed what was held, so that it cannot be given back as it
// was without undoing that.
type ChangedError struct{ Paths []string }

func (e *ChangedError) Error() string {
	return "others have changed since: " + strings.Join(e.Paths, ", ")
}

// pointer is a path as JSON patches have it (RFC 6901).
func pointer(path []string) string {
	var b strings.Builder
	for _, name := range path {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return b.String()
}

// tree is an object as JSON has it.
type tree map[string]any

func treeOf(o any) (tree, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var t tree
	return t, json.Unmarshal(b, &t)
}

// get returns what stands at a path.
func (t tree) get(path []string) (value any, there bool) {
	value = map[string]any(t)
	for _, name := range path {
		switch in := value.(type) {
		case map[string]any:
			if value, there = in[name]; !there {
				return nil, false
			}
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(in) {
				return nil, false
			}
			value = in[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// put sets or, without a value, removes what stands at a path, whose parent is there and
// is an object.
func (t tree) put(path []string, value any, there bool) {
	parent, _ := t.get(path[:len(path)-1])
	if in := parent.(map[string]any); there {
		in[path[len(path)-1]] = value
	} else {
		delete(in, path[len(path)-1])
	}
}

// editor changes an object and notes how.
type editor struct {
	object     tree
	operations []Operation
	edits      []Edit
}

// set makes value stand at a path; nil for nothing there. What leads there and is missing
// is made.
func (e *editor) set(value any, path ...string) {
	for i := 1; i < len(path); i++ {
		if _, there := e.object.get(path[:i]); !there {
			e.change(map[string]any{}, true, path[:i])
		}
	}
	e.change(value, value != nil, path)
}

func (e *editor) change(value any, there bool, path []string) {
	was, had := e.object.get(path)
	edit := Edit{Path: slices.Clone(path)}
	if had {
		edit.Was = text(was)
	}
	if there {
		edit.Held = text(value)
	}
	if had == there && (!had || string(edit.Was) == string(edit.Held)) {
		return
	}
	e.edits = append(e.edits, edit)
	e.operations = append(e.operations, operation(path, edit.Held, had))
	var plain any // as it will be read back
	if there {
		if err := json.Unmarshal(edit.Held, &plain); err != nil {
			panic(err)
		}
	}
	e.object.put(path, plain, there)
}

// expect notes that value stands at a path, and must when the object is given back.
func (e *editor) expect(path ...string) {
	if v, there := e.object.get(path); there {
		e.edits = append(e.edits, Edit{Path: path, Was: text(v), Held: text(v)})
	}
}

// operation makes value stand at a path where something is or is not.
func operation(path []string, value json.RawMessage, is bool) Operation {
	switch {
	case value == nil:
		return Operation{Op: "remove", Path: pointer(path)}
	case is:
		return Operation{Op: "replace", Path: pointer(path), Value: value}
	}
	return Operation{Op: "add", Path: pointer(path), Value: value}
}

// undo are the operations that take edits back, the last first. What leads to an edit and
// was made for it stays where others have added something.
func undo(object tree, edits []Edit) ([]Operation, error) {
	var all []Operation
	var changed []string
	for _, edit := range slices.Backward(edits) {
		now, there := object.get(edit.Path)
		made := edit.Was == nil && string(edit.Held) == "{}"
		switch {
		case made && there && !reflect.DeepEqual(now, map[string]any{}), made && !there:
			continue
		case !same(now, there, edit.Held):
			changed = append(changed, edit.String())
			continue
		case string(edit.Was) == string(edit.Held):
			continue
		}
		all = append(all, operation(edit.Path, edit.Was, there))
		var was any
		if edit.Was != nil {
			if err := json.Unmarshal(edit.Was, &was); err != nil {
				return nil, fmt.Errorf("what %s was cannot be read: %w", edit, err)
			}
		}
		object.put(edit.Path, was, edit.Was != nil)
	}
	if len(changed) > 0 {
		slices.Sort(changed)
		return nil, &ChangedError{changed}
	}
	return all, nil
}

// same says whether a value is what JSON says.
func same(value any, there bool, text json.RawMessage) bool {
	if !there || text == nil {
		return !there && text == nil
	}
	var want any
	return json.Unmarshal(text, &want) == nil && reflect.DeepEqual(value, want)
}

func text(value any) json.RawMessage {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err) // it comes from JSON, or is made here
	}
	return b
}
