package hold

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Document is one object of a manifest.
type Document struct {
	Name string // "StatefulSet/fortio-server", of a list those of its items that are held; empty where there is no object
	Held bool   // it is changed: its next pods wait
	// Text is the document with all its bytes, from the line "---" on that begins it.
	Text string
	// Object is what it says.
	Object map[string]any
}

// kinds are those whose pods can be held, with the path of their pod templates. Undo can
// give back those whose template can be changed; the others are made anew.
var kinds = map[string][]string{"StatefulSet": usual, "Deployment": usual, "DaemonSet": usual, "ReplicaSet": usual,
	"Job": usual, "CronJob": {"spec", "jobTemplate", "spec", "template"}, "Pod": {}}

// Changeable says whether an object of a kind can be held and given back as it is, and need
// not be deleted and made anew for it.
func Changeable(kind string) bool {
	return slices.Contains([]string{"StatefulSet", "Deployment", "DaemonSet"}, kind)
}

// separator begins a document of a YAML file. In no other place may a line begin so.
var separator = regexp.MustCompile(`(?m)^---(\s|$)`)

// Manifest makes the held form of a manifest of several documents, in YAML or JSON. What
// is not changed stays as it is written, comments included; documents without a workload
// stay whole, and so does a workload that is held. The Target of o is each object's own.
func Manifest(text string, o WorkloadOptions) (all []Document, err error) {
	starts := []int{0}
	for _, at := range separator.FindAllStringIndex(text, -1) {
		if at[0] > 0 {
			starts = append(starts, at[0])
		}
	}
	for i, start := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		d, err := document(text[start:end], o)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", 1+strings.Count(text[:start], "\n"), err)
		}
		all = append(all, d)
	}
	return all, nil
}

func document(text string, o WorkloadOptions) (d Document, err error) {
	d.Text = text
	if err := yaml.Unmarshal([]byte(text), &d.Object); err != nil {
		return d, err
	}
	u := unstructured.Unstructured{Object: d.Object}
	if u.GetKind() == "" {
		return d, nil
	}
	d.Name = nameOf(d.Object)
	object := withoutNull(d.Object).(map[string]any)
	var operations []Operation
	if items, ok := object["items"].([]any); ok && u.GetKind() == list {
		var names []string
		for i, item := range items {
			item, ok := item.(map[string]any)
			if !ok {
				continue
			}
			own, err := heldForm(item, o)
			if err != nil {
				return d, err
			}
			for _, x := range own {
				x.Path = pointer([]string{"items", strconv.Itoa(i)}) + x.Path
				operations = append(operations, x)
			}
			if len(own) > 0 {
				names = append(names, nameOf(item))
			}
		}
		d.Name = "the list's " + strings.Join(names, ", ")
	} else if operations, err = heldForm(object, o); err != nil {
		return d, err
	}
	if len(operations) == 0 {
		return d, nil
	}
	want := tree(object)
	for _, x := range operations {
		var value any
		if x.Value != nil {
			if err := json.Unmarshal(x.Value, &value); err != nil {
				return d, err
			}
		}
		want.put(fromPointer(x.Path), value, x.Value != nil)
	}
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		b, err := json.MarshalIndent(want, "", "  ")
		if d.Text = string(b) + "\n"; err != nil {
			return d, err
		}
	} else if d.Text, err = edited(text, operations); err != nil {
		return d, fmt.Errorf("%s: %w", d.Name, err)
	}
	// What was written is read again: a layout that is not understood is an error, and
	// never another object.
	d.Object = nil
	if err := yaml.Unmarshal([]byte(d.Text), &d.Object); err != nil {
		return d, fmt.Errorf("%s is written in a way that cannot be changed in place: %w", d.Name, err)
	}
	if got := withoutNull(d.Object); !reflect.DeepEqual(plain(got), plain(map[string]any(want))) {
		return d, fmt.Errorf("%s is written in a way that cannot be changed in place", d.Name)
	}
	d.Held = true
	return d, nil
}

// list is the kind of a document that has objects of any kind as its items.
const list = "List"

// nameOf is an object's kind and name: "StatefulSet/fortio-server".
func nameOf(object map[string]any) string {
	u := unstructured.Unstructured{Object: object}
	return u.GetKind() + "/" + u.GetName()
}

// Objects are those of a document: itself, or the items of a list.
func (d Document) Objects() (all []map[string]any) {
	items, ok := d.Object["items"].([]any)
	if u := (unstructured.Unstructured{Object: d.Object}); !ok || u.GetKind() != list {
		return []map[string]any{d.Object}
	}
	for _, item := range items {
		if object, ok := item.(map[string]any); ok {
			all = append(all, object)
		}
	}
	return all
}

// Workloads are those of a document's objects that are held.
func (d Document) Workloads() []map[string]any {
	return slices.DeleteFunc(d.Objects(), func(object map[string]any) bool {
		u := unstructured.Unstructured{Object: object}
		return kinds[u.GetKind()] == nil || u.GetLabels()[Label] == ""
	})
}

// heldForm are the operations that make the held form of an object; none for one that is no
// workload, or is held.
func heldForm(object map[string]any, o WorkloadOptions) ([]Operation, error) {
	u := unstructured.Unstructured{Object: object}
	path, known := kinds[u.GetKind()]
	if !known || u.GetLabels()[Label] != "" {
		return nil, nil
	}
	o.Template = path
	var template core.PodTemplateSpec
	written, _, err := unstructured.NestedMap(object, path...)
	if err == nil {
		err = json.Unmarshal(encoded(written), &template)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: the pod template: %w", nameOf(object), err)
	}
	o.Target = strings.ToLower(u.GetKind()) + "/" + u.GetName()
	if own, _ := Container(&template.Spec, o.Container); own != nil && o.Command == nil {
		o.Command = Command(own)
	}
	operations, err := Workload(&u, &template, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nameOf(object), err)
	}
	return operations, nil
}

// edited makes the changes in a document's text.
func edited(text string, operations []Operation) (string, error) {
	for _, x := range operations {
		var err error
		if text, err = edit(text, fromPointer(x.Path), x.Value); err != nil {
			return "", fmt.Errorf("%s: %w", x.Path, err)
		}
	}
	return text, nil
}

func fromPointer(path string) []string {
	names := strings.Split(path, "/")[1:]
	for i, name := range names {
		names[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
	}
	return names
}

// withoutNull leaves out fields without a value, which mean nothing to an API server.
func withoutNull(value any) any {
	switch value := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, v := range value {
			if v != nil {
				out[name] = withoutNull(v)
			}
		}
		return out
	case []any:
		out := make([]any, len(value))
		for i, v := range value {
			out[i] = withoutNull(v)
		}
		return out
	}
	return value
}

// plain is a value as JSON has it.
func plain(value any) (out any) {
	d := json.NewDecoder(bytes.NewReader(encoded(value)))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		panic(err) // it was made of JSON
	}
	return out
}

// encoded is text, for a parameter of that name.
func encoded(value any) []byte { return text(value) }
