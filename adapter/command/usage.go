package command

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/internal/nearest"
)

// flagError says what is wrong with a flag, without pflag's words, which quote Go's.
func flagError(cmd *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &value):
		return fault.Usage(fmt.Sprintf("--%s is %q", value.GetFlag().Name, value.GetValue()), "It takes "+takes(value.GetFlag())+".")
	case errors.As(err, &missing):
		return fault.Usage(fmt.Sprintf("--%s has no value", missing.GetFlag().Name), "It takes "+takes(missing.GetFlag())+".")
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown)
	}
	return err
}

// takes says in words what a flag's value is.
func takes(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "bool":
		return fmt.Sprintf("true or false: --%s=false", f.Name)
	case "float64":
		return "a number of seconds"
	}
	name, usage := pflag.UnquoteUsage(f)
	return fmt.Sprintf("a %s: %s", strings.ToLower(name), usage)
}

// unknownFlag names the flag, or the launch attribute, that was probably meant.
func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	typed := e.GetSpecifiedName()
	if e.GetSpecifiedShortnames() != "" {
		return fault.Usage(fmt.Sprintf("there is no flag -%s", typed), help(cmd))
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	fix := help(cmd)
	if right, ok := nearest.Name(typed, names); ok {
		fix = fmt.Sprintf("Did you mean --%s?", right)
	}
	return fault.Usage("there is no flag --"+typed, fix)
}

// unknownCommand is the rule for the words of root: each is a command's name.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	fix := help(cmd)
	if right, ok := nearest.Name(args[0], names); ok {
		fix = fmt.Sprintf(`Did you mean "%s %s"?`, cmd.CommandPath(), right)
	}
	return fault.Usage(fmt.Sprintf("there is no command %q", args[0]), fix)
}

// noWords is the rule for a command that takes flags alone.
func noWords(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fault.Usage(fmt.Sprintf("%q belongs to no flag", args[0]), help(cmd))
}

// oneELF is the rule for a command about one executable.
func oneELF(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 1 && args[0] != "":
		return nil
	case len(args) < 2:
		return fault.Usage("no executable is named", "Name one: "+cmd.CommandPath()+" bazel-bin/envoy.")
	}
	return fault.Usage(fmt.Sprintf("%d executables are named", len(args)), "Name one.")
}

// help says where the valid words are.
func help(cmd *cobra.Command) string {
	return fmt.Sprintf("See %q.", cmd.CommandPath()+" --help")
}

// exists refuses the value of a flag that names no folder.
func exists(flag, dir string) error {
	if dir == "" {
		return nil
	}
	switch st, err := os.Stat(dir); {
	case errors.Is(err, os.ErrPermission):
		return fault.NotPermitted(fmt.Sprintf("look at the folder of %s", flag), dir, err.Error())
	case err != nil:
		return fault.Usage(fmt.Sprintf("%s names the folder %s, which is not there", flag, dir), "Create it, or name another one.")
	case !st.IsDir():
		return fault.Usage(fmt.Sprintf("%s names %s, which is no folder", flag, dir), "Name a folder.")
	}
	return nil
}
