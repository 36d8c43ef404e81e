package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/adapter/terminal"
)

// runFlags are the flags of run; each stands for a launch attribute.
type runFlags struct {
	session      sessionFlags
	target       string
	program      string
	envoyPath    string
	env          []string
	cwd          string
	start        string
	gate         bool
	startTimeout float64
	lldbServer   string
	stopOnEntry  bool
	breaks       []string
	sourceMap    []string
	set          []string
	execute      []string
	output       string
}

func runCommand(target startup.Target) *cobra.Command {
	f := runFlags{session: sessionFlags{target: target}}
	cmd := &cobra.Command{
		Use:   "run [flags] [-- AGENT ARGUMENTS...]",
		Short: "Debug the startup of Envoy from this terminal",
		Long: `Run starts the agent (pilot-agent proxy sidecar, or the command after "--"),
holds the Envoy that it starts before its first instruction, and stops at main.

Commands come from the keyboard, from another program, or from a file; "help" at
the prompt lists them. The end of a file is the last command, quit. When another
program closes its end, the session ends as soon as the commands it gave have been
carried out, within seconds. With --execute the input is not read.

Ctrl-C, SIGTERM and SIGHUP end the session; a second one ends envoydbg at once.

` + exitCodes,
		Example: `  envoydbg run --program ./bazel-bin/envoy --envoy-path /usr/local/bin/envoy -- pilot-agent proxy sidecar
  envoydbg run --break syscalls --break source/server/server.cc:120 -x continue -x bt`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	f.add(cmd)
	return cmd
}

func (f *runFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.session.add(cmd)
	flags.StringVar(&f.target, "target", "local", "where Envoy runs: local")
	flags.StringVar(&f.program, "program", "", "local Envoy `file` with symbols (default: the one of --envoy-path)")
	flags.StringVar(&f.envoyPath, "envoy-path", "", "Envoy `file` that the agent starts (default /usr/local/bin/envoy)")
	flags.StringArrayVar(&f.env, "env", nil, "`NAME=VALUE` for the agent's environment; repeatable")
	flags.StringVar(&f.cwd, "cwd", "", "working `folder` of the agent")
	flags.StringVar(&f.start, "start", config.StartWhenArmed, "when to start the agent: whenArmed, or manual to be asked")
	flags.BoolVar(&f.gate, "gate", true, "hold Envoy before its first instruction until it is traced")
	flags.Float64Var(&f.startTimeout, "start-timeout", 0, "`seconds` from the agent's start to Envoy (default 60)")
	flags.StringVar(&f.lldbServer, "lldb-server", "", "lldb-server `program` (default: the one of lldb-dap's version)")
	flags.BoolVar(&f.stopOnEntry, "stop-on-entry", false, "stop at the first instruction of the process")
	flags.StringArrayVarP(&f.breaks, "break", "b", []string{config.PresetMain}, "stop at main, syscalls, libevent (presets), `FILE:LINE` or a function; repeatable")
	flags.StringArrayVar(&f.sourceMap, "source-map", nil, "`FROM=TO`: a folder in the debug information and where it is here; repeatable")
	flags.StringArrayVar(&f.set, "set", nil, "any other launch attribute, `NAME=JSON`; repeatable")
	flags.StringArrayVarP(&f.execute, "execute", "x", nil, "`command` to carry out instead of reading the keyboard; repeatable (see \"help\" at the prompt)")
	flags.StringVarP(&f.output, "output", "o", "text", "text, or json for one object a line")
}

func (f *runFlags) run(cmd *cobra.Command, agent []string) error {
	attributes, err := f.attributes(cmd, agent)
	if err != nil {
		return err
	}
	if f.output != "text" && f.output != "json" {
		return fault.Usage(fmt.Sprintf("--output is %q", f.output), "Give text or json.")
	}
	signals := notify(nil) // first: what follows has something to clean up
	session, release, err := f.session.options(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer release()
	terminalInput := term.IsTerminal(int(os.Stdin.Fd()))
	err = terminal.Run(terminal.Options{Session: session, Attributes: attributes, Breaks: f.breaks,
		Script: f.execute, Interactive: terminalInput && len(f.execute) == 0, Live: terminalInput || isStream(os.Stdin),
		Tty: term.IsTerminal(int(os.Stdout.Fd())) && f.output == "text", JSON: f.output == "json",
		Input: os.Stdin, Output: os.Stdout, Interrupt: signals})
	var interrupted terminal.Interrupted
	switch {
	case errors.Is(err, terminal.ErrFailed):
		return exit(exitError)
	case errors.As(err, &interrupted):
		return exit(signalled(interrupted.Signal))
	}
	return err
}

// isStream reports whether a file is the end of a pipe or a socket.
func isStream(file *os.File) bool {
	st, err := file.Stat()
	return err == nil && st.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}

// attributes turns the flags into launch attributes. Those that were not given
// stay out, so that the defaults are defined in one place.
func (f *runFlags) attributes(cmd *cobra.Command, command []string) (map[string]any, error) {
	agent := map[string]any{}
	a := map[string]any{"target": f.target, "agent": agent}
	changed := cmd.Flags().Changed
	if changed("start") {
		agent["start"] = f.start
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
	env := map[string]string{}
	for _, pair := range f.env {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fault.Usage(fmt.Sprintf("--env is %q", pair), "Give NAME=VALUE.")
		}
		env[name] = value
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
	sourceMap, err := parsePairs(f.sourceMap)
	if err != nil {
		return nil, err
	}
	if sourceMap != nil {
		a["sourceMap"] = sourceMap
	}
	for _, pair := range f.set {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || !json.Valid([]byte(value)) {
			return nil, fault.Usage(fmt.Sprintf("--set is %q", pair), `Give NAME=JSON, for example timeout=60 or initCommands='["settings …"]'.`)
		}
		a[name] = json.RawMessage(value)
	}
	return a, nil
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
