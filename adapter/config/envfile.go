package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/internal/program"
)

var assignment = regexp.MustCompile(`^(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)$`)

// maxEnvFile bounds what is read: a file of variables is small.
const maxEnvFile = 1 << 20

// ReadEnvFile reads the file that an attribute names: a NAME=VALUE on each line, and lines
// that are empty or begin with "#". A value in double quotes may hold \n, \" and \\, one in
// single quotes is as it stands; behind any other, " #" begins a comment. Of a name that
// comes twice the last counts. The error is a fault that names the line.
func ReadEnvFile(attribute, path string) (map[string]string, error) {
	if !filepath.IsAbs(path) {
		return nil, fault.BadAttribute(attribute, fmt.Sprintf("is %q", path), `It must be an absolute path, for example "${workspaceFolder}/.env".`)
	}
	switch st, err := os.Stat(path); {
	case errors.Is(err, fs.ErrPermission):
		return nil, fault.NotPermitted("read the file that "+fault.Name(attribute)+" names", path, cmp.Or(program.Refusal(path), err.Error()))
	case err != nil:
		return nil, fault.BadAttribute(attribute, fmt.Sprintf("names %s, which is not there", path), "Create it, or name another file.")
	case !st.Mode().IsRegular() || st.Size() > maxEnvFile:
		return nil, fault.BadAttribute(attribute, fmt.Sprintf("names %s, which is no file of variables", path), "Name a text file of up to 1 MiB.")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.NotPermitted("read the file that "+fault.Name(attribute)+" names", path, cmp.Or(program.Refusal(path), err.Error()))
	}
	env := map[string]string{}
	for i, line := range strings.Split(string(bytes.TrimPrefix(text, []byte("\ufeff"))), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		m := assignment.FindStringSubmatch(line)
		if m == nil {
			return nil, badLine(attribute, path, i+1, "is not NAME=VALUE")
		}
		value, ok := unquote(m[2])
		if !ok {
			return nil, badLine(attribute, path, i+1, "has a quote that does not end, or something behind it")
		}
		env[m[1]] = value
	}
	return env, nil
}

// badLine does not show the line: it may be a secret.
func badLine(attribute, path string, line int, problem string) error {
	return fault.BadAttribute(attribute, fmt.Sprintf("names %s, whose line %d %s", path, line, problem), `A line is NAME=VALUE, NAME="VALUE", or a comment that begins with #.`)
}

var escapes = strings.NewReplacer(`\n`, "\n", `\"`, `"`, `\\`, `\`)

// unquote is a value without its quotes and without a comment behind it.
func unquote(text string) (value string, ok bool) {
	if text == "" || text[0] == '#' {
		return "", true
	}
	quote := text[0]
	if quote != '"' && quote != '\'' {
		for _, comment := range []string{" #", "\t#"} {
			text, _, _ = strings.Cut(text, comment)
		}
		return strings.TrimSpace(text), true
	}
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote:
			if rest := strings.TrimSpace(text[i+1:]); rest != "" && rest[0] != '#' {
				return "", false
			}
			if value = text[1:i]; quote == '"' {
				value = escapes.Replace(value)
			}
			return value, true
		}
	}
	return "", false
}

// WithEnvFile are the arguments of a plain session with the variables of their envFile in
// env, the form of which stays, and the variables' values.
func WithEnvFile(arguments []byte) (with []byte, values []string, err error) {
	file := gjson.GetBytes(arguments, "envFile")
	switch {
	case !file.Exists() || file.Type == gjson.Null:
		return arguments, nil, nil
	case file.Type != gjson.String:
		return nil, nil, fault.BadAttribute("envFile", "is no string", "It must be the absolute path of a file.")
	}
	variables, err := ReadEnvFile("envFile", file.Str)
	if err != nil {
		return nil, nil, err
	}
	env := gjson.GetBytes(arguments, "env")
	list, object := []string{}, map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		values = append(values, variables[name])
		list, object[name] = append(list, name+"="+variables[name]), variables[name]
	}
	var all any = object
	if env.IsArray() {
		for _, v := range env.Array() { // behind the file's: the last counts
			list = append(list, v.String())
		}
		all = list
	}
	for name, v := range env.Map() {
		object[name] = v.Value()
	}
	if arguments, err = sjson.DeleteBytes(arguments, "envFile"); err != nil {
		return nil, nil, err
	}
	with, err = sjson.SetBytes(arguments, "env", all)
	return with, values, err
}
