package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/envoydbg/envoydbg/adapter/config"
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

func runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [flags] [-- AGENT ARGUMENTS...]",
		Short: "Debug the startup of Envoy from this terminal",
		Long: `Run starts the agent (pilot-agent proxy sidecar, or what stands behind "--"),
holds the Envoy that it starts before its first instruction, and stops at main.`,
		Example: `  envoydbg run --program ./bazel-bin/envoy --envoy-path /usr/local/bin/envoy -- pilot-agent proxy sidecar
  envoydbg run --break syscalls --break source/server/server.cc:120 -x continue -x bt`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
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
	return cmd
}

func (f *runFlags) run(cmd *cobra.Command, agent []string) error {
	attributes, err := f.attributes(cmd, agent)
	if err != nil {
		return err
	}
	if f.output != "text" && f.output != "json" {
		return fmt.Errorf("--output is %q: give text or json", f.output)
	}
	session, release, err := f.session.options()
	if err != nil {
		return err
	}
	defer release()

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	interrupt := make(chan struct{}, 1)
	go func() {
		for range signals {
			select {
			case interrupt <- struct{}{}:
			default:
			}
		}
	}()
	keyboard := term.IsTerminal(int(os.Stdin.Fd()))
	err = terminal.Run(cmd.Context(), terminal.Options{Session: session, Attributes: attributes, Breaks: f.breaks,
		Script: f.execute, Interactive: keyboard && len(f.execute) == 0, Tty: term.IsTerminal(int(os.Stdout.Fd())) && f.output == "text",
		JSON: f.output == "json", Input: os.Stdin, Output: os.Stdout, Interrupt: interrupt})
	if errors.Is(err, terminal.ErrFailed) {
		return errShown
	}
	return err
}

// attributes turns the flags into launch attributes. Those that were not given
// stay out, so that their defaults stand in one place.
func (f *runFlags) attributes(cmd *cobra.Command, command []string) (map[string]any, error) {
	agent := map[string]any{"start": f.start}
	a := map[string]any{"target": f.target, "gate": f.gate, "stopOnEntry": f.stopOnEntry, "agent": agent}
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
			return nil, fmt.Errorf("--env is %q: give NAME=VALUE", pair)
		}
		env[name] = value
	}
	agent["env"] = env
	if cmd.Flags().Changed("start-timeout") {
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
			return nil, fmt.Errorf("--set is %q: give NAME=JSON, for example timeout=60 or initCommands='[\"settings …\"]'", pair)
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
			return nil, fmt.Errorf("--source-map is %q: give FROM=TO", pair)
		}
		abs, err := filepath.Abs(to)
		if err != nil {
			return nil, err
		}
		out = append(out, [2]string{from, abs})
	}
	return out, nil
}
