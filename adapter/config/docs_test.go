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

	"github.com/envoydbg/envoydbg/test/support/checkout"
)

// An attribute is described in three places: the code, docs/attributes.md, and
// package.json, from which editors complete and check launch.json.

// schema is what package.json says of an attribute.
type schema struct {
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

var documentedAttribute = regexp.MustCompile("(?m)^(?:### |\\| )`([A-Za-z.]+)`(?:$| \\| (?:list|string|number|boolean|object))")

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

func TestDefaultsAndNamesAreThoseOfTheCode(t *testing.T) {
	c, err := Parse([]byte(`{"target": "local"}`))
	if err != nil {
		t.Fatal(err)
	}
	attach, launch := contributed(t)
	for _, attributes := range []map[string]schema{attach, launch} {
		for name, want := range map[string]any{
			"envoyPath": c.EnvoyPath, "gate": c.Gate, "startTimeout": c.StartTimeout, "stopOnEntry": c.StopOnEntry,
			"agent.start": c.Agent.Start, "agent.command": []any{"pilot-agent", "proxy", "sidecar"},
		} {
			if got := attributes[name].Default; !reflect.DeepEqual(got, want) {
				t.Errorf("package.json: the default of %q is %v, not %v", name, got, want)
			}
		}
		if got, want := attributes["agent.start"].Enum, []string{StartWhenArmed, StartManual}; !slices.Equal(got, want) {
			t.Errorf("package.json: agent.start takes %v, not %v", got, want)
		}
		if got, want := attributes["breakpointPresets"].Items.Enum, []string{PresetMain, PresetSyscalls, PresetLibevent}; !slices.Equal(got, want) {
			t.Errorf("package.json: breakpointPresets takes %v, not %v", got, want)
		}
	}
}
