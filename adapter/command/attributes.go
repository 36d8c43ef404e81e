package command

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/kube"
)

// flagOf has the flag of run for each launch attribute that has one.
var flagOf = map[string]string{
	"target": "--target", "program": "--program", "envoyPath": "--envoy-path", "gate": "--gate", "startTimeout": "--start-timeout",
	"lldbDap": "--lldb-dap", "lldbServer": "--lldb-server", "debugServer.connect": "--debug-server", "stopOnEntry": "--stop-on-entry", "breakpointPresets": "--break",
	"sourceMap": "--source-map", "workTree": "--work-tree", "agent.cwd": "--cwd", "agent.env": "--env", "agent.start": "--start", "agent.output": "--agent-output", "atEnd": "--at-end",
	"agent.command": `the command after "--"`, "namespace": "--namespace", "context": "--context", "kubeconfig": "--kubeconfig", "container": "--container", "debugImage": "--debug-image", "hold": "--hold", "holdAtEnd": "--hold-at-end", "application": "--application", "capture": "--capture",
}

// checked are the launch attributes of the command line, if there is nothing wrong with
// them.
func (f *runFlags) checked(cmd *cobra.Command, args []string) (map[string]any, *config.Config, error) {
	attributes, err := f.attributes(cmd, args)
	if err != nil {
		return nil, nil, err
	}
	text, err := json.Marshal(attributes)
	if err != nil {
		return nil, nil, err
	}
	if text, err = config.Expand(text); err != nil {
		return nil, nil, err
	}
	c, _, err := config.Parse(text) // the session tells the warnings
	if err != nil {
		return nil, nil, err
	}
	if c.Restart {
		return nil, nil, fault.Usage("restart is for editors, which begin a session again", "Leave it out, and run the command again.")
	}
	starts := slices.ContainsFunc(f.execute, func(command string) bool { return strings.TrimSpace(command) == "start" })
	switch manual := c.Agent.Start == config.StartManual; {
	case manual && len(f.execute) > 0 && !starts:
		return nil, nil, fault.Usage("with --start=manual nothing starts the agent: no --execute says so", "Add --execute start, or leave out --start.")
	case starts && !manual:
		return nil, nil, fault.Usage("--execute start is for --start=manual; the agent is started already", "Add --start=manual, or leave out the command.")
	}
	if _, set := attributes["breakpointPresets"]; set {
		f.breaks = c.BreakpointPresets
		delete(attributes, "breakpointPresets")
	}
	return attributes, c, c.Check()
}

// attributes turns the flags into launch attributes. Those that were not given
// stay out, so that the defaults are defined in one place.
func (f *runFlags) attributes(cmd *cobra.Command, args []string) (map[string]any, error) {
	target, command, err := f.words(cmd, args)
	if err != nil {
		return nil, err
	}
	agent := map[string]any{}
	a := map[string]any{"target": target, "agent": agent}
	changed := cmd.Flags().Changed
	if changed("container") {
		a["container"] = f.container
	}
	if f.debugImage != "" {
		a["debugImage"] = f.debugImage
	}
	if flags := kube.Given(cmd.Flags()); len(flags) > 0 {
		a["kubectlFlags"] = flags
	}
	if changed("agent-output") {
		agent["output"] = f.agentOutput
		if o := f.agentOutput; o != config.OutputConsole && o != config.OutputTerminal && o != config.OutputHide {
			if agent["output"], err = filepath.Abs(o); err != nil {
				return nil, err
			}
		}
	}
	if changed("start") {
		agent["start"] = f.start
	}
	if changed("at-end") {
		a["atEnd"] = f.atEnd
	}
	if changed("hold") {
		a["hold"] = f.hold
	}
	if changed("application") {
		a["application"] = f.application
	}
	if changed("capture") {
		a["capture"] = f.capture
	}
	if changed("hold-at-end") {
		a["holdAtEnd"] = f.holdAtEnd
	}
	if changed("gate") {
		a["gate"] = f.gate
	}
	if changed("stop-on-entry") {
		a["stopOnEntry"] = f.stopOnEntry
	}
	for name, path := range map[string]string{"program": f.program, "envoyPath": f.envoyPath} {
		if path == "" {
			continue
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		a[name] = abs
	}
	if len(command) > 0 {
		agent["command"] = command
	}
	if f.cwd != "" {
		agent["cwd"] = f.cwd
	}
	env, err := parseEnv(f.env)
	if err != nil {
		return nil, err
	}
	if len(env) > 0 {
		agent["env"] = env
	}
	if changed("start-timeout") {
		a["startTimeout"] = f.startTimeout
	}
	if f.lldbServer != "" {
		a["lldbServer"] = f.lldbServer
	}
	if f.debugServer != "" {
		a["debugServer"] = map[string]any{"connect": f.debugServer}
	}
	sourceMap, err := parsePairs(f.sourceMap)
	if err != nil {
		return nil, err
	}
	if sourceMap != nil {
		a["sourceMap"] = sourceMap
	}
	return a, f.addSet(cmd, a)
}

// parseEnv are the variables that --env gives.
func parseEnv(pairs []string) (map[string]string, error) {
	env := map[string]string{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fault.Usage(fmt.Sprintf("--env is %q", pair), "Give NAME=VALUE.")
		}
		if _, twice := env[name]; twice {
			return nil, fault.Usage(fmt.Sprintf("--env gives %s two values", name), "Give it once.")
		}
		env[name] = value
	}
	return env, nil
}

// addSet adds what --set gives. What two flags give is refused: neither could win
// without a surprise.
func (f *runFlags) addSet(cmd *cobra.Command, a map[string]any) error {
	agent := a["agent"].(map[string]any)
	given := map[string]string{} // by attribute, by which flag
	for attribute, flag := range flagOf {
		if cmd.Flags().Changed(strings.TrimPrefix(flag, "--")) {
			given[attribute] = flag
		}
	}
	if agent["command"] != nil {
		given["agent.command"] = flagOf["agent.command"]
	}
	for _, pair := range f.set {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case !ok || name == "":
			return fault.Usage(fmt.Sprintf("--set is %q", pair), `Give NAME=JSON, for example timeout=60 or initCommands='["settings …"]'.`)
		case !json.Valid([]byte(value)):
			return fault.Usage(fmt.Sprintf("--set is %q, and %s is not JSON", pair, value),
				fmt.Sprintf(`Quote a string: --set '%s="%s"'. A list is [1, 2], an object {"name": 1}.`, name, value))
		}
		for _, other := range overlaps(name, given) {
			return fault.Usage(fmt.Sprintf("%s is given by --set and by %s", name, given[other]), "Give it once.")
		}
		given[name] = "--set"
		switch inner, nested := strings.CutPrefix(name, "agent."); {
		case nested:
			agent[inner] = json.RawMessage(value)
		case name == "debugServer.connect":
			a["debugServer"] = map[string]any{"connect": json.RawMessage(value)}
		case name == "agent" && gjson.Parse(value).IsObject():
			for key, v := range gjson.Parse(value).Map() {
				agent[key] = json.RawMessage(v.Raw)
			}
		default:
			a[name] = json.RawMessage(value)
		}
	}
	return nil
}

// overlaps are those of the given attributes that name holds, or that hold it.
func overlaps(name string, given map[string]string) []string {
	var all []string
	for other := range given {
		if name == other || strings.HasPrefix(other, name+".") || strings.HasPrefix(name, other+".") {
			all = append(all, other)
		}
	}
	slices.Sort(all)
	return all
}

// words are those that belong to no flag: before "--" the name of a pod or a workload,
// which is the target, and behind it the agent's command.
func (f *runFlags) words(cmd *cobra.Command, args []string) (target string, command []string, err error) {
	before := args
	if at := cmd.Flags().ArgsLenAtDash(); at >= 0 {
		before, command = args[:at], args[at:]
	}
	switch {
	case len(before) == 0:
		return f.target, command, nil
	case len(before) > 1 || !kube.IsResource(before[0]):
		return "", nil, strayWord(cmd, before[0])
	case cmd.Flags().Changed("target"):
		return "", nil, fault.Usage("--target and "+before[0]+" name two targets", "Give one of them.")
	}
	return before[0], command, nil
}

// strayWord is the error for a word that is nobody's: a command without "--" would lose
// its own flags, and --gate false is no flag with a value.
func strayWord(cmd *cobra.Command, word string) error {
	fix := `The agent's command stands after "--": envoydbg run … -- pilot-agent proxy sidecar.`
	if word == "true" || word == "false" {
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if f.Value.Type() == "bool" {
				fix = fmt.Sprintf("Write --%s=%s.", f.Name, word)
			}
		})
	}
	return fault.Usage(fmt.Sprintf("%q belongs to no flag", word), fix)
}

// parsePairs reads the values of --source-map.
func parsePairs(values []string) ([][2]string, error) {
	var out [][2]string
	for _, pair := range values {
		from, to, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fault.Usage(fmt.Sprintf("--source-map is %q", pair), "Give FROM=TO.")
		}
		abs, err := filepath.Abs(to)
		if err != nil {
			return nil, err
		}
		out = append(out, [2]string{from, abs})
	}
	return out, nil
}
