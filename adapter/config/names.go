package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/internal/nearest"
)

// Who reads which attribute of a startup session:
//
//	Config, and what is below it      the adapter
//	passed                            lldb-dap, for the adapter's own attach
//	replaced                          nobody: the adapter attaches (an error)
//	useless                           nobody: the agent starts Envoy (a warning)
//	editors, and __…                  the editor
//
// docs/attributes.md has the first four; a test compares.

// passed are lldb-dap's attributes that matter for an attach and are none of Config's.
// Read from lldb-dap 19.1.7 and 22.1.8.
var passed = []string{"stopCommands", "exitCommands", "terminateCommands", "sourcePath", "debuggerRoot", "targetTriple", "platformName",
	"timeout", "enableAutoVariableSummaries", "displayExtendedBacktrace", "enableSyntheticChildDebugging", "customFrameFormat", "customThreadFormat"}

// replaced are lldb-dap's attributes in whose place the adapter's own attach stands.
var replaced = []string{"attachCommands", "launchCommands", "pid", "waitFor", "coreFile", "gdb-remote-port", "gdb-remote-hostname"}

// useless are lldb-dap's attributes for a program that it starts itself, with what is
// to be done instead.
var useless = map[string]string{
	"args": "agent.command", "cwd": "agent.cwd", "env": "agent.env", "envFile": "agent.envFile",
	"runInTerminal": "", "console": "", "stdio": "", "disableASLR": "", "disableSTDIO": "", "shellExpandArguments": "", "detachOnError": "",
}

// editors are attributes that VS Code itself reads or adds.
var editors = []string{"name", "type", "request", "preLaunchTask", "postDebugTask", "internalConsoleOptions", "presentation",
	"serverReadyAction", "suppressMultipleSessionWarning", "windows", "osx", "linux", "noDebug"}

// names are the attributes of a struct of this package.
func names(of reflect.Type) []string {
	var all []string
	for f := range of.Fields() {
		all = append(all, f.Tag.Get("json"))
	}
	return all
}

var (
	own         = names(reflect.TypeFor[Config]())
	agent       = names(reflect.TypeFor[Agent]())
	debugServer = names(reflect.TypeFor[DebugServer]())
)

// unknown says of each attribute that has no effect what else it may be: an error for
// a name that is probably another one, warnings for all others.
func unknown(arguments []byte) (warnings []*fault.Fault, err error) {
	meaningful := slices.Concat(own, passed, editors)
	gjson.ParseBytes(arguments).ForEach(func(key, value gjson.Result) bool {
		name := key.Str
		instead, none := useless[name]
		switch {
		case value.Type == gjson.Null, slices.Contains(meaningful, name), slices.Contains(replaced, name), strings.HasPrefix(name, "__"):
		case none && instead != "":
			warnings = append(warnings, fault.NoEffect(name, fmt.Sprintf("For the agent, set %s.", fault.Name(instead))))
		case none:
			warnings = append(warnings, fault.NoEffect(name, "Remove it: the agent starts Envoy."))
		default:
			if err = misspelled(name, meaningful); err != nil {
				return false
			}
			warnings = append(warnings, fault.UnknownAttribute(name))
		}
		return true
	})
	return warnings, err
}

// misspelled is the error for a name that is nearly a known one, or one of the agent's.
func misspelled(name string, known []string) error {
	inner := strings.TrimPrefix(name, "agent.")
	if slices.Contains(agent, inner) {
		return fault.BadAttribute(name, "is not known", fmt.Sprintf("Write %s.", fault.Assign("agent."+inner, "…")))
	}
	if right, ok := nearest.Name(name, known); ok {
		return fault.BadAttribute(name, "is not known", fmt.Sprintf("Did you mean %s?", fault.Name(right)))
	}
	return nil
}

// unknownOf is the error for an attribute of an object of the adapter's own that nobody
// reads: nobody but the adapter looks there.
func unknownOf(arguments []byte, object string, known []string) (err error) {
	gjson.GetBytes(arguments, object).ForEach(func(key, value gjson.Result) bool {
		if value.Type == gjson.Null || slices.Contains(known, key.Str) {
			return true
		}
		fix := fault.Name(object) + " has " + strings.Join(known, ", ") + "."
		if right, ok := nearest.Name(key.Str, known); ok {
			fix = fmt.Sprintf("Did you mean %s?", fault.Name(object+"."+right))
		}
		err = fault.BadAttribute(object+"."+key.Str, "is not known", fix)
		return false
	})
	return err
}

// oneOf is the error for a value that is none of those allowed; it names the nearest.
func oneOf(attribute, problem, value string, allowed []string) error {
	fix := "It takes " + strings.Join(allowed, ", ") + "."
	if right, ok := nearest.Name(value, allowed); ok {
		fix = fmt.Sprintf("Did you mean %q? %s", right, fix)
	}
	return fault.BadAttribute(attribute, problem, fix)
}

// startup are the attributes that only a startup session has: not those that the
// adapter also reads for a plain one.
var startup = slices.DeleteFunc(slices.Clone(Own), func(name string) bool {
	return slices.Contains([]string{"target", "lldbDap", "workTree", "debugServer", "trace"}, name)
})

// CheckPlain checks the arguments of a launch or attach request without a target. They
// are lldb-dap's, unless somebody has meant a startup session and not said so.
func CheckPlain(arguments []byte) error {
	all := gjson.ParseBytes(arguments)
	for _, name := range startup {
		if !all.Get(name).Exists() {
			continue
		}
		fix := fmt.Sprintf("Add %s, or remove %s for plain lldb-dap.", fault.Assign("target", `"local"`), fault.Name(name))
		all.ForEach(func(key, _ gjson.Result) bool {
			if right, ok := nearest.Name(key.Str, []string{"target"}); ok && !slices.Contains(replaced, key.Str) {
				fix = fmt.Sprintf("Did you mean %s in place of %q?", fault.Name(right), key.Str)
			}
			return true
		})
		return fault.BadAttribute(name, "is one of a startup session, and there is no "+fault.Name("target"), fix)
	}
	return nil
}
