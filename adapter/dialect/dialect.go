package dialect

import (
	"encoding/json"
	"net/url"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// Dialect is what a client says of itself in initialize. The zero value is
// lldb-dap's own.
type Dialect struct {
	// LinesFrom0 and ColumnsFrom0: the client counts from 0.
	LinesFrom0, ColumnsFrom0 bool
	// URIs: the client names files by file: URIs.
	URIs bool
}

// Of reads an initialize request. Without a field the specification's default
// counts: from 1, and paths.
func Of(initialize *dapio.Message) Dialect {
	no := func(name string) bool {
		v := initialize.Get("arguments." + name)
		return v.Exists() && !v.Bool()
	}
	return Dialect{LinesFrom0: no("linesStartAt1"), ColumnsFrom0: no("columnsStartAt1"),
		URIs: initialize.Get("arguments.pathFormat").Str == "uri"}
}

// Initialize is the request as lldb-dap should get it: it refuses path formats that
// it does not know.
func (d Dialect) Initialize(m *dapio.Message) *dapio.Message {
	if d == (Dialect{}) {
		return m
	}
	for name, value := range map[string]string{"linesStartAt1": "true", "columnsStartAt1": "true", "pathFormat": `"path"`} {
		if patched, err := m.Set("arguments."+name, []byte(value)); err == nil {
			m = patched
		}
	}
	return m
}

// place says where a message carries positions: in each element of the list, or in
// the message itself.
type place struct {
	list                 string
	lines, columns, path []string
}

var (
	line   = []string{"line", "endLine"}
	column = []string{"column", "endColumn"}
	source = []string{"source.path"}
)

var requests = map[string][]place{
	"setBreakpoints": {
		{list: "arguments.breakpoints", lines: line, columns: column},
		{list: "arguments.lines", lines: []string{"@this"}},
		{path: []string{"arguments.source.path"}},
	},
	"breakpointLocations": {arguments},
	"gotoTargets":         {arguments},
	"completions":         {arguments},
	"evaluate":            {arguments},
	"source":              {arguments},
}

var arguments = place{lines: []string{"arguments.line", "arguments.endLine"},
	columns: []string{"arguments.column", "arguments.endColumn"}, path: []string{"arguments.source.path"}}

var breakpoints = []place{{list: "body.breakpoints", lines: line, columns: column, path: source}}

// replies are answers, by their command, and events.
var replies = map[string][]place{
	"setBreakpoints":            breakpoints,
	"setFunctionBreakpoints":    breakpoints,
	"setInstructionBreakpoints": breakpoints,
	"setDataBreakpoints":        breakpoints,
	"setExceptionBreakpoints":   breakpoints,
	"breakpointLocations":       breakpoints,
	"stackTrace":                {{list: "body.stackFrames", lines: line, columns: column, path: source}},
	"scopes":                    {{list: "body.scopes", lines: line, columns: column, path: source}},
	"disassemble":               {{list: "body.instructions", lines: line, columns: column, path: []string{"location.path"}}},
	"gotoTargets":               {{list: "body.targets", lines: line, columns: column}},
	"stepInTargets":             {{list: "body.targets", lines: line, columns: column}},
	"loadedSources":             {{list: "body.sources", path: []string{"path"}}},
	"locations":                 {body},
	"variables": {{list: "body.variables", lines: []string{declaration + "line"}, columns: []string{declaration + "column"},
		path: []string{declaration + "path"}}},
	"output":       {body},
	"loadedSource": {body},
	"breakpoint": {{lines: []string{"body.breakpoint.line", "body.breakpoint.endLine"},
		columns: []string{"body.breakpoint.column", "body.breakpoint.endColumn"}, path: []string{"body.breakpoint.source.path"}}},
}

// declaration is LLDB 19's own, below a variable.
const declaration = `\$__lldb_extensions.declaration.`

var body = place{lines: []string{"body.line", "body.endLine"}, columns: []string{"body.column", "body.endColumn"},
	path: []string{"body.source.path"}}

// Request translates a request of the client's.
func (d Dialect) Request(m *dapio.Message) *dapio.Message {
	if d == (Dialect{}) || m.Type != dapio.Request {
		return m
	}
	return d.translate(m, requests[m.Name], 1, toPath)
}

// Reply translates an answer or an event for the client.
func (d Dialect) Reply(m *dapio.Message) *dapio.Message {
	if d == (Dialect{}) || m.Type == dapio.Request {
		return m
	}
	return d.translate(m, replies[m.Name], -1, toURI)
}

func (d Dialect) translate(m *dapio.Message, places []place, by int64, rename func(string) string) *dapio.Message {
	var edits []dapio.Edit
	shift := func(v gjson.Result) {
		// Lines and columns that LLDB does not know are 0 and stay so.
		if v.Type == gjson.Number && (by > 0 || v.Int() > 0) {
			edits = append(edits, dapio.Replace(v, strconv.AppendInt(nil, v.Int()+by, 10)))
		}
	}
	one := func(p place, at func(string) gjson.Result) {
		if d.LinesFrom0 {
			for _, name := range p.lines {
				shift(at(name))
			}
		}
		if d.ColumnsFrom0 {
			for _, name := range p.columns {
				shift(at(name))
			}
		}
		for _, name := range p.path {
			if v := at(name); d.URIs && v.Type == gjson.String {
				text, _ := json.Marshal(rename(v.Str)) // a string never fails
				edits = append(edits, dapio.Replace(v, text))
			}
		}
	}
	for _, p := range places {
		if p.list == "" {
			one(p, m.Get)
			continue
		}
		m.Get(p.list).ForEach(func(_, v gjson.Result) bool {
			one(p, func(name string) gjson.Result {
				if name == "@this" {
					return v
				}
				return v.Get(name)
			})
			return true
		})
	}
	return m.Apply(edits)
}

// toPath is the path of a file: URI; anything else stays.
func toPath(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" {
		return uri
	}
	return u.Path
}

// toURI is the URI of an absolute path; anything else stays.
func toURI(path string) string {
	if path == "" || path[0] != '/' {
		return path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}
