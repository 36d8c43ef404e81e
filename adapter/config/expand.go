package config

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// pathsHere are the attributes that are paths on this machine, in a session of any kind.
var pathsHere = []string{"program", "workTree", "kubeconfig", "agent.envFile", "agent.output", "envFile", "trace", "lldbDap", "lldbServer",
	"coreFile", "sourcePath", "debuggerRoot", "cwd"}

// pathsBeside are paths beside Envoy, which is here if the target is local.
var pathsBeside = []string{"envoyPath", "agent.cwd", "agent.command.0"}

var reference = regexp.MustCompile(`\$\{([^}]*)\}`)

// Expand writes out what stands for another text in the paths of launch attributes: a "~"
// at the beginning, ${userHome} and ${env:NAME}. VS Code has replaced its variables before;
// one that is still there is an error.
func Expand(arguments []byte) ([]byte, error) {
	all := pathsHere
	if gjson.GetBytes(arguments, "target").Str == TargetLocal {
		all = append(all[:len(all):len(all)], pathsBeside...)
	}
	for i := range gjson.GetBytes(arguments, "sourceMap").Array() {
		all = append(all[:len(all):len(all)], "sourceMap."+strconv.Itoa(i)+".1")
	}
	for _, name := range all {
		v := gjson.GetBytes(arguments, name)
		if v.Type != gjson.String {
			continue
		}
		path, err := expandPath(strings.TrimSuffix(name, ".0"), v.Str)
		if err != nil {
			return nil, err
		}
		if path == v.Str {
			continue
		}
		if arguments, err = sjson.SetBytes(arguments, name, path); err != nil {
			return nil, err
		}
	}
	return arguments, nil
}

// expandPath writes out one path.
func expandPath(attribute, path string) (string, error) {
	home, noHome := os.UserHomeDir()
	if path == "~" || strings.HasPrefix(path, "~/") {
		path = "${userHome}" + path[1:]
	}
	var err error
	path = reference.ReplaceAllStringFunc(path, func(whole string) string {
		name := reference.FindStringSubmatch(whole)[1]
		variable, isVariable := strings.CutPrefix(name, "env:")
		switch value, set := os.LookupEnv(variable); {
		case name == "userHome" && noHome == nil:
			return home
		case name == "userHome":
			err = fault.BadAttribute(attribute, "begins at the home folder of a user who has none", "Write the whole path.")
		case isVariable && set:
			return value
		case isVariable:
			err = fault.BadAttribute(attribute, fmt.Sprintf("holds %s, and envoydbg's environment has no %s", whole, variable), "Set the variable, or write the path out.")
		default:
			err = fault.BadAttribute(attribute, fmt.Sprintf("holds %s, which was not replaced", whole),
				"Write the path out: outside VS Code only ~, ${userHome} and ${env:NAME} stand for something else.")
		}
		return whole
	})
	return path, err
}
