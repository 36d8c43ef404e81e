package hold

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	nodes "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

var errLayout = errors.New("the field is written in a way that cannot be changed in place (an alias, or a merge)")

// edit makes a value stand at a path of a YAML document, nil for nothing, and changes
// nothing else of its text. The parser gives the place of each node; the end of one is
// where the next begins.
func edit(text string, path []string, value json.RawMessage) (string, error) {
	var document nodes.Node
	if err := nodes.Unmarshal([]byte(text), &document); err != nil {
		return "", err
	}
	if len(document.Content) == 0 {
		return "", errLayout
	}
	p := page{lines: strings.SplitAfter(text, "\n")}
	if last := len(p.lines) - 1; p.lines[last] == "" {
		p.lines = p.lines[:last]
	} else {
		p.lines[last] += "\n"
	}
	if strings.Contains(text, "\r\n") {
		p.return_ = "\r"
	}
	in, end := document.Content[0], len(p.lines)
	for i, name := range path {
		switch {
		case in.Kind == nodes.SequenceNode && in.Style&nodes.FlowStyle == 0:
			n, err := strconv.Atoi(name)
			if err != nil || n >= len(in.Content) {
				return "", errLayout
			}
			if n+1 < len(in.Content) {
				end = in.Content[n+1].Line - 1
			}
			in = in.Content[n]
			continue
		case in.Kind != nodes.MappingNode || in.Style&nodes.FlowStyle != 0 || len(in.Content) == 0:
			return "", errLayout
		}
		at := keyOf(in, name)
		if at < 0 {
			// All that leads there is made before by another edit, so this is the last.
			if i != len(path)-1 || value == nil {
				return "", errLayout
			}
			return p.insert(in, end, name, value)
		}
		if at+2 < len(in.Content) {
			end = in.Content[at+2].Line - 1
		}
		if i == len(path)-1 {
			return p.replace(in, at, end, name, value)
		}
		key, field := in.Content[at], in.Content[at+1]
		if field.Style&nodes.FlowStyle != 0 || field.Kind == nodes.ScalarNode {
			// It is written in one piece, and so made anew.
			whole, err := changed(field, path[i+1:], value)
			if err != nil {
				return "", err
			}
			return p.replace(in, at, end, key.Value, whole)
		}
		in = field
	}
	return "", errLayout
}

// keyOf is the index of a key in a mapping; -1 if there is none.
func keyOf(in *nodes.Node, name string) int {
	for i := 0; i < len(in.Content); i += 2 {
		if in.Content[i].Value == name {
			return i
		}
	}
	return -1
}

// changed is the value of a node with another value at a path in it.
func changed(field *nodes.Node, path []string, value json.RawMessage) (json.RawMessage, error) {
	b, err := nodes.Marshal(field)
	if err != nil {
		return nil, err
	}
	var all any
	if err := yaml.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	if all == nil {
		all = map[string]any{}
	}
	t := tree{"value": all}
	at := append([]string{"value"}, path...)
	if parent, there := t.get(at[:len(at)-1]); !there || !isObject(parent) {
		return nil, errLayout
	}
	var plain any
	if value != nil {
		if err := json.Unmarshal(value, &plain); err != nil {
			return nil, err
		}
	}
	t.put(at, plain, value != nil)
	return text(all), nil
}

func isObject(v any) bool { _, ok := v.(map[string]any); return ok }

// page is the text of a document by lines, the end of each included.
type page struct {
	lines   []string
	return_ string // what stands before the end of a line
}

// replace puts a value in the place of the one of the key at an index of a mapping, whose
// lines end with end at the latest.
func (p page) replace(in *nodes.Node, at, end int, name string, value json.RawMessage) (string, error) {
	key := in.Content[at]
	begin, indent := key.Line-1, key.Column-1
	end = p.trim(begin, end, indent)
	lead := p.lines[begin][:indent] // spaces, or with them the "-" of an item
	switch {
	case value != nil:
		made, err := p.made(indent, name, value)
		if err != nil {
			return "", err
		}
		made[0] = lead + made[0][indent:]
		return p.with(begin, end, made), nil
	case strings.TrimSpace(lead) == "":
		return p.with(begin, end, nil), nil
	case at+2 >= len(in.Content):
		return p.with(begin, end, []string{lead + "{}" + p.return_ + "\n"}), nil
	}
	next := in.Content[at+2].Line - 1 // it begins the item now
	return p.with(begin, next+1, []string{lead + p.lines[next][indent:]}), nil
}

// insert puts a field at the end of a mapping.
func (p page) insert(in *nodes.Node, end int, name string, value json.RawMessage) (string, error) {
	last := in.Content[len(in.Content)-2]
	indent := in.Content[0].Column - 1
	end = p.trim(last.Line-1, end, indent)
	made, err := p.made(indent, name, value)
	if err != nil {
		return "", err
	}
	return p.with(end, end, made), nil
}

// trim leaves out blank lines at the end of a field, and comments that are not indented
// deeper than its key: they belong to what comes next.
func (p page) trim(begin, end, indent int) int {
	for end > begin+1 {
		line := strings.TrimSpace(p.lines[end-1])
		depth := len(p.lines[end-1]) - len(strings.TrimLeft(p.lines[end-1], " "))
		if line != "" && line != "..." && (!strings.HasPrefix(line, "#") || depth > indent) {
			break
		}
		end--
	}
	return end
}

// made are the lines of a field.
func (p page) made(indent int, name string, value json.RawMessage) ([]string, error) {
	var plain any
	if err := json.Unmarshal(value, &plain); err != nil {
		return nil, err
	}
	b, err := yaml.Marshal(map[string]any{name: plain})
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(b)) {
		lines = append(lines, strings.Repeat(" ", indent)+strings.TrimSuffix(line, "\n")+p.return_+"\n")
	}
	return lines, nil
}

func (p page) with(begin, end int, lines []string) string {
	return strings.Join(slices.Concat(p.lines[:begin], lines, p.lines[end:]), "")
}
