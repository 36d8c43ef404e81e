package control

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// TypeScript is the protocol as TypeScript: an interface for each struct, and the tables
// Requests and Notifications from names to types. comment gives the doc comment of a Go
// type ("Session") or member ("Session.State"); empty for none.
func TypeScript(comment func(name string) string) string {
	w := writer{comment: comment, written: map[string]bool{}}
	backend, listener := reflect.TypeFor[Backend](), reflect.TypeFor[Listener]()
	w.add("// Generated from adapter/control/api.go by `go generate ./adapter/control`.\n")
	w.add("\n/** The requests, by name. */\nexport interface Requests {\n")
	w.request("initialize", "The first request.", reflect.TypeFor[Hello](), reflect.TypeFor[Welcome]())
	for m := range backend.Methods() {
		w.request(wire(m.Name), comment("Backend."+m.Name), m.Type.In(1), m.Type.Out(0))
	}
	w.add("}\n\n/** The notifications of the backend, by name. */\nexport interface Notifications {\n")
	for m := range listener.Methods() {
		w.member(wire(m.Name), comment("Listener."+m.Name), w.typeOf(m.Type.In(0)), false)
	}
	w.add("}\n")
	for len(w.todo) > 0 {
		next := w.todo[0]
		w.todo = w.todo[1:]
		w.declare(next)
	}
	return w.out.String()
}

// wire is the name of a method or notification in a message.
func wire(method string) string { return strings.ToLower(method[:1]) + method[1:] }

// writer writes TypeScript.
type writer struct {
	comment func(string) string
	out     strings.Builder
	written map[string]bool
	todo    []reflect.Type
}

func (w *writer) add(format string, args ...any) { fmt.Fprintf(&w.out, format, args...) }

func (w *writer) request(name, doc string, params, result reflect.Type) {
	w.member(name, doc, fmt.Sprintf("{ readonly params: %s; readonly result: %s }", w.typeOf(params), w.typeOf(result)), false)
}

func (w *writer) member(name, doc, typ string, optional bool) {
	w.docs("    ", doc)
	mark := ""
	if optional {
		mark = "?"
	}
	w.add("    readonly %s%s: %s;\n", name, mark, typ)
}

// docs writes a Go comment as TypeScript has it.
func (w *writer) docs(indent, text string) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	switch {
	case lines[0] == "":
	case len(lines) == 1:
		w.add("%s/** %s */\n", indent, lines[0])
	default:
		w.add("%s/**\n%s * %s\n%s */\n", indent, indent, strings.TrimRight(strings.Join(lines, "\n"+indent+" * "), " "), indent)
	}
}

// typeOf is the name of a type, which is declared later.
func (w *writer) typeOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "number"
	case reflect.Interface:
		return "unknown"
	case reflect.Pointer:
		return w.typeOf(t.Elem())
	case reflect.Array:
		return "readonly [" + strings.Join(slices.Repeat([]string{w.typeOf(t.Elem())}, t.Len()), ", ") + "]"
	case reflect.Slice:
		of := w.typeOf(t.Elem())
		if strings.HasPrefix(of, "readonly ") {
			of = "(" + of + ")"
		}
		return "readonly " + of + "[]"
	case reflect.Map:
		return fmt.Sprintf("Readonly<Record<string, %s>>", w.typeOf(t.Elem()))
	case reflect.Struct:
		if !w.written[t.Name()] {
			w.written[t.Name()] = true
			w.todo = append(w.todo, t)
		}
		return t.Name()
	}
	panic("no TypeScript for " + t.String())
}

func (w *writer) declare(t reflect.Type) {
	w.add("\n")
	w.docs("", w.comment(t.Name()))
	if t.NumField() == 0 { // an interface without members would be any value
		w.add("export type %s = Record<string, never>;\n", t.Name())
		return
	}
	w.add("export interface %s {\n", t.Name())
	for f := range t.Fields() {
		w.field(t, f)
	}
	w.add("}\n")
}

// field writes a field, or those of an embedded struct.
func (w *writer) field(t reflect.Type, f reflect.StructField) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	if f.Anonymous && name == "" {
		for inner := range f.Type.Fields() {
			w.field(f.Type, inner)
		}
		return
	}
	if name == "-" {
		return
	}
	w.member(name, w.comment(t.Name()+"."+f.Name), w.typeOf(f.Type), strings.Contains(options, "omitempty"))
}
