package config

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/test/support/checkout"
)

// An attribute is described in three places: the code, docs/attributes.md, and
// package.json, from which editors complete and check launch.json.

// schema is what package.json says of an attribute.
type schema struct {
	Type       any // a name, or several
	Default    any
	Enum       []string
	Items      *schema
	Properties map[string]schema
}

func contributed(t *testing.T) (attach, launch map[string]schema) {
	t.Helper()
	text, err := os.ReadFile(checkout.Path(t, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Contributes struct {
			Debuggers []struct {
				Type                    string
				ConfigurationAttributes struct{ Attach, Launch schema }
			}
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	for _, d := range manifest.Contributes.Debuggers {
		if d.Type == "envoy" {
			return flat(d.ConfigurationAttributes.Attach, ""), flat(d.ConfigurationAttributes.Launch, "")
		}
	}
	t.Fatal("package.json contributes no debugger envoy")
	return nil, nil
}

// flat names nested attributes as the faults do: agent.command.
func flat(s schema, prefix string) map[string]schema {
	all := map[string]schema{}
	for name, p := range s.Properties {
		all[prefix+name] = p
		maps.Copy(all, flat(p, prefix+name+"."))
	}
	return all
}

// coded are the attributes that the code knows.
func coded(of reflect.Type, prefix string) []string {
	var names []string
	for f := range of.Fields() {
		name := prefix + f.Tag.Get("json")
		names = append(names, name)
		if f.Type.Kind() == reflect.Struct {
			names = append(names, coded(f.Type, name+".")...)
		}
	}
	return names
}

var documentedAttribute = regexp.MustCompile("(?m)^(?:### |\\| )`([A-Za-z.-]+)`(?:$| \\| (?:list|string|number|boolean|object))")

func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(checkout.Path(t, "docs/attributes.md"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range documentedAttribute.FindAllStringSubmatch(string(text), -1) {
		names = append(names, m[1])
	}
	return names
}

func TestTheDocsListWhatPackageJSONContributes(t *testing.T) {
	attach, launch := contributed(t)
	all := maps.Clone(attach)
	maps.Copy(all, launch)
	docs := documented(t)
	for name := range all {
		if !slices.Contains(docs, name) {
			t.Errorf("docs/attributes.md does not describe %q", name)
		}
	}
	for i, name := range docs {
		if _, ok := all[name]; !ok {
			t.Errorf("package.json does not have %q, which docs/attributes.md describes", name)
		}
		if slices.Contains(docs[:i], name) {
			t.Errorf("docs/attributes.md describes %q twice", name)
		}
	}
}

func TestPackageJSONHasWhatTheCodeKnows(t *testing.T) {
	attach, launch := contributed(t)
	names := coded(reflect.TypeFor[Config](), "")
	for _, name := range names {
		if _, ok := attach[name]; !ok {
			t.Errorf("package.json does not have %q for attach", name)
		}
		if _, ok := launch[name]; !ok {
			t.Errorf("package.json does not have %q for launch", name)
		}
	}
	for name := range attach {
		if strings.HasPrefix(name, "agent.") && !slices.Contains(names, name) {
			t.Errorf("the code does not know %q", name)
		}
	}
	for _, name := range Own {
		if !slices.Contains(names, name) {
			t.Errorf("Own has %q, which Config has not", name)
		}
	}
	for _, name := range replaced {
		if slices.Contains(names, name) {
			t.Errorf("replaced has %q, which is an attribute of a startup session", name)
		}
	}
}

// Whatever is known is described, and whatever is described is known.
func TestTheDocsListWhatLLDBDapReads(t *testing.T) {
	known := slices.Concat(coded(reflect.TypeFor[Config](), ""), passed, replaced, slices.Collect(maps.Keys(useless)))
	docs := documented(t)
	for _, name := range known {
		if !slices.Contains(docs, name) {
			t.Errorf("docs/attributes.md does not describe %q", name)
		}
	}
	for _, name := range docs {
		if !slices.Contains(known, name) {
			t.Errorf("the code does not know %q, which docs/attributes.md describes", name)
		}
	}
}

func TestValuesAreThoseOfTheCode(t *testing.T) {
	attach, launch := contributed(t)
	for _, attributes := range []map[string]schema{attach, launch} {
		for name, want := range map[string][]string{
			"agent.start": {StartWhenArmed, StartManual},
			"hold":        {HoldAsk, HoldCopy, HoldWorkload, HoldNever},
			"holdAtEnd":   {HoldRelease, HoldKeep},
			"application": {ApplicationRun, ApplicationWait},
			"atEnd":       {AtEndEnd, AtEndRun, AtEndKeepStopped},
		} {
			if got := attributes[name].Enum; !slices.Equal(got, want) {
				t.Errorf("package.json: %s takes %v, not %v", name, got, want)
			}
		}
		if got, want := attributes["breakpointPresets"].Items.Enum, []string{PresetMain, PresetSyscalls, PresetLibevent}; !slices.Equal(got, want) {
			t.Errorf("package.json: breakpointPresets takes %v, not %v", got, want)
		}
	}
}

// typesOf are the names that JSON Schema has for what a field of the code takes.
func typesOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float64, reflect.Int:
		return "number"
	case reflect.Slice:
		return "array"
	}
	return "object"
}

func TestTypesAreThoseOfTheCode(t *testing.T) {
	attach, _ := contributed(t)
	var compare func(of reflect.Type, prefix string)
	compare = func(of reflect.Type, prefix string) {
		for f := range of.Fields() {
			name := prefix + f.Tag.Get("json")
			// Some take several, by a method of their own: the source map, a trace's file.
			if got, is := attach[name].Type.(string); is && got != typesOf(f.Type) && !reflect.PointerTo(f.Type).Implements(reflect.TypeFor[json.Unmarshaler]()) {
				t.Errorf("package.json: %s is a %s, in the code a %s", name, got, typesOf(f.Type))
			}
			if f.Type.Kind() == reflect.Struct {
				compare(f.Type, name+".")
			}
		}
	}
	compare(reflect.TypeFor[Config](), "")
}

var (
	section  = regexp.MustCompile("(?m)^### `([A-Za-z.]+)`$")
	sentence = regexp.MustCompile("Default:\\s+`([^`]+)`")
	row      = regexp.MustCompile("(?m)^\\| `([A-Za-z.-]+)` \\|[^|]*\\|([^|]*)\\|")
)

// documentedDefaults are the defaults in docs/attributes.md that are values.
// Those that it describes in words are left out: they depend on something else.
func documentedDefaults(t *testing.T) map[string]any {
	t.Helper()
	b, err := os.ReadFile(checkout.Path(t, "docs/attributes.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	defaults := map[string]any{}
	value := func(name, written string) {
		var v any
		if json.Unmarshal([]byte(written), &v) == nil {
			defaults[name] = v
		}
	}
	heads := section.FindAllStringSubmatchIndex(text, -1)
	for i, head := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		if m := sentence.FindStringSubmatch(text[head[1]:end]); m != nil {
			value(text[head[2]:head[3]], m[1])
		}
	}
	for _, m := range row.FindAllStringSubmatch(text, -1) {
		// A value that holds a backtick stands between two.
		value(m[1], strings.TrimSpace(strings.Trim(strings.TrimSpace(m[2]), "`")))
	}
	return defaults
}

// A default in package.json is a value that holds whenever the attribute is
// missing; editors insert it. What depends on something else has none there.
func TestDefaultsAreThoseOfTheDocs(t *testing.T) {
	docs := documentedDefaults(t)
	attach, launch := contributed(t)
	for _, attributes := range []map[string]schema{attach, launch} {
		for name, s := range attributes {
			if got, want := s.Default, docs[name]; !reflect.DeepEqual(got, want) {
				t.Errorf("the default of %q is %v in package.json and %v in docs/attributes.md", name, got, want)
			}
		}
	}
}

func TestDefaultsAreThoseOfTheCode(t *testing.T) {
	c, _, err := Parse([]byte(`{"target": "local"}`))
	if err != nil {
		t.Fatal(err)
	}
	// docs/attributes.md says so in words: the one is the other, or Istio's.
	if c.Program != c.EnvoyPath || c.EnvoyPath != "/usr/local/bin/envoy" {
		t.Errorf("the default of program is %q and that of envoyPath %q", c.Program, c.EnvoyPath)
	}
	c.Program, c.EnvoyPath, c.Target = "", "", "" // and target has none
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	attach, _ := contributed(t)
	for _, name := range coded(reflect.TypeFor[Config](), "") {
		got, want := gjson.GetBytes(text, name).Value(), attach[name].Default
		switch {
		case name == "agent", name == "debugServer": // their attributes have defaults
		case isEmpty(got) && isEmpty(want):
		case !reflect.DeepEqual(got, want):
			t.Errorf("the default of %q is %v in the code and %v in package.json", name, got, want)
		}
	}
}

var jsonBlock = regexp.MustCompile("(?s)```json\n(.*?)```")

// Every configuration in the docs is valid and made of known attributes.
func TestTheExamplesAreValid(t *testing.T) {
	attach, _ := contributed(t)
	for _, page := range []string{"README.md", "docs/attributes.md"} {
		text, err := os.ReadFile(checkout.Path(t, page))
		if err != nil {
			t.Fatal(err)
		}
		blocks := jsonBlock.FindAllStringSubmatch(string(text), -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no configuration", page)
		}
		for _, block := range blocks {
			example := strings.ReplaceAll(block[1], "${workspaceFolder}", t.TempDir())
			if _, warnings, err := Parse([]byte(example)); err != nil || len(warnings) > 0 {
				t.Errorf("%s: %v %v\n%s", page, err, warnings, example)
			}
			for name := range gjson.Parse(example).Map() {
				if _, ok := attach[name]; !ok && !slices.Contains([]string{"type", "request", "name"}, name) {
					t.Errorf("%s: package.json does not have %q", page, name)
				}
			}
		}
	}
}

// isEmpty: nothing, an empty string, list or object.
func isEmpty(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String, reflect.Slice, reflect.Map:
		return r.Len() == 0
	}
	return false
}

// snippets are what editors offer for an attribute's value, by the attribute's name.
func snippets(t *testing.T, request string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(checkout.Path(t, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	gjson.GetBytes(text, `contributes.debuggers.#(type=="envoy").configurationAttributes.`+request+`.properties`).ForEach(func(name, attribute gjson.Result) bool {
		for _, s := range attribute.Get("defaultSnippets").Array() {
			all[name.Str] = append(all[name.Str], s.Get("body").Raw)
		}
		return true
	})
	return all
}

var placeholder = regexp.MustCompile(`\$\{\d:([^}]*)\}`)

// What an editor inserts is valid, and made of attributes that the code knows.
func TestTheSnippetsAreValid(t *testing.T) {
	folder := t.TempDir()
	for _, request := range []string{"attach", "launch"} {
		all := snippets(t, request)
		for _, name := range []string{"agent", "sourceMap"} {
			if len(all[name]) == 0 {
				t.Errorf("package.json has no snippets for %q in %s", name, request)
			}
		}
		for name, bodies := range all {
			for _, body := range bodies {
				// In a snippet, "^\"\\${…}\"" stands for "${…}", and ${1:…} is for the user to change.
				body = strings.ReplaceAll(body, `"^\"\\${workspaceFolder}\""`, `"`+folder+`"`)
				body = placeholder.ReplaceAllString(body, "$1")
				if _, warnings, err := Parse([]byte(`{"target": "local", "` + name + `": ` + body + `}`)); err != nil || len(warnings) > 0 {
					t.Errorf("%s: %v %v\n%s", name, err, warnings, body)
				}
				for inner := range gjson.Parse(body).Map() {
					if full := name + "." + inner; gjson.Parse(body).IsObject() && !slices.Contains(coded(reflect.TypeFor[Config](), ""), full) {
						t.Errorf("the code does not know %q", full)
					}
				}
			}
		}
	}
}

// What package.json calls required is known, and the code refuses a session without it.
func TestWhatIsRequiredIsRequiredByTheCode(t *testing.T) {
	text, err := os.ReadFile(checkout.Path(t, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	attach, launch := contributed(t)
	for request, attributes := range map[string]map[string]schema{"attach": attach, "launch": launch} {
		of := gjson.GetBytes(text, `contributes.debuggers.#(type=="envoy").configurationAttributes.`+request)
		rules := of.Get("allOf").Array()
		if len(rules) == 0 {
			t.Fatalf("package.json has no rules for %s", request)
		}
		for _, rule := range rules {
			names := append(rule.Get("then.required").Array(), rule.Get("then.anyOf.#.required|@flatten").Array()...)
			if len(names) == 0 {
				t.Errorf("%s: a rule requires nothing: %s", request, rule.Raw)
			}
			for _, name := range append(names, rule.Get("if.required").Array()...) {
				if _, ok := attributes[name.Str]; !ok {
					t.Errorf("%s: a rule names %q, which is no attribute", request, name.Str)
				}
			}
		}
		if got := of.Get("allOf.0.then.required").Raw; got == "" || gjson.Parse(got).Get("0").Str != "program" {
			t.Errorf("%s: for a pod package.json requires %s", request, got)
		}
		if got := of.Get("properties.debugServer.required.0").Str; got != "connect" {
			t.Errorf("%s: debugServer requires %q", request, got)
		}
	}
	for _, without := range []string{`{"target": "pod/a"}`, `{"target": "local", "debugServer": {}}`} {
		if c, _, err := Parse([]byte(without)); err == nil && c.Check() == nil {
			t.Errorf("%s is not refused", without)
		}
	}
	if _, _, err := Parse([]byte(`{"target": "local"}`)); err != nil {
		t.Errorf("nothing else is required: %v", err)
	}
}
