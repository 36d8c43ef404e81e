package command

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/terminal"
	"github.com/envoydbg/envoydbg/kube"
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
	agentOutput  string
	atEnd        string
	container    string
	debugImage   string
	hold         string
	holdAtEnd    string
	application  string
	capture      string
	gate         bool
	startTimeout float64
	lldbServer   string
	debugServer  string
	stopOnEntry  bool
	breaks       []string
	sourceMap    []string
	set          []string
	execute      []string
	output       string
}

func runCommand(target targets) *cobra.Command {
	f := runFlags{session: sessionFlags{target: target}}
	cmd := &cobra.Command{
		Use:   "run [TARGET] [flags] [-- AGENT ARGUMENTS...]",
		Short: "Debug the startup of Envoy from this terminal",
		Long: `Run starts the agent (pilot-agent proxy sidecar, or the command after "--"),
holds the Envoy that it starts before its first instruction, and stops at main.
TARGET is a pod or a workload of a cluster, as kubectl names it; without one, all is
on this machine.

Commands come from the keyboard, from another program, or from a file. They are
those of gdb and LLDB; "help" at the prompt lists ours, and every other one goes to
LLDB. The end of a file is the last command, quit. When another program closes its
end, the session ends as soon as the commands it gave have been carried out, within
seconds. With --execute the input is not read.

At a keyboard Ctrl-C pauses a running Envoy; a second one, or one while Envoy is
stopped or not there yet, ends the session. Ctrl-D ends it, too, and asks first when
Envoy is stopped. Ctrl-Z suspends envoydbg. SIGTERM and SIGHUP end the session, and
so does Ctrl-C without a keyboard; a second one ends envoydbg at once.

` + exitCodes,
		Example: `  envoydbg run --program ./bazel-bin/envoy --envoy-path /usr/local/bin/envoy -- pilot-agent proxy sidecar
  envoydbg run statefulset/fortio-server -n demo --program ./bazel-bin/envoy
  envoydbg run --break syscalls --break source/server/server.cc:120 -x continue -x bt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			fault.SpeakOfFlags(flagOf)
			return f.run(cmd, args)
		},
	}
	f.add(cmd)
	return cmd
}

func (f *runFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.session.add(cmd)
	flags.StringVar(&f.target, "target", "local", "where Envoy runs: local, or a pod or `resource` such as statefulset/fortio-server")
	flags.StringVarP(&f.container, "container", "c", kube.DefaultContainer, "`name` of the container of a pod with Envoy in it")
	addDebugImage(flags, &f.debugImage)
	flags.StringVar(&f.hold, "hold", config.HoldAsk, "for a sidecar that starts Envoy by itself: ask, copy (debug a held copy of the pod), workload, or never")
	flags.StringVar(&f.holdAtEnd, "hold-at-end", config.HoldRelease, "what becomes of what the session has held: release, or keep it for the next one")
	addApplication(flags, &f.application)
	addCapture(flags, &f.capture)
	kube.NewFlags().Add(flags)
	flags.StringVar(&f.program, "program", "", "local Envoy `file` with symbols (default: the one of --envoy-path)")
	flags.StringVar(&f.envoyPath, "envoy-path", "", "Envoy `file` that the agent starts (default /usr/local/bin/envoy)")
	flags.StringArrayVar(&f.env, "env", nil, "`NAME=VALUE` for the agent's environment; repeatable")
	flags.StringVar(&f.cwd, "cwd", "", "working `folder` of the agent")
	flags.StringVar(&f.agentOutput, "agent-output", config.OutputConsole, "console shows what the agent and Envoy write, hide does not; or append it to a `file`")
	flags.StringVar(&f.start, "start", config.StartWhenArmed, "when to start the agent: whenArmed, or manual to be asked")
	flags.StringVar(&f.atEnd, "at-end", config.AtEndEnd, "what becomes of Envoy when the session ends: end, run (it runs on), or keepStopped")
	flags.BoolVar(&f.gate, "gate", true, "hold Envoy before its first instruction until it is traced")
	flags.Float64Var(&f.startTimeout, "start-timeout", 0, "`seconds` from the agent's start to Envoy (default 60)")
	flags.StringVar(&f.lldbServer, "lldb-server", "", "lldb-server `program` (default: the one of lldb-dap's version)")
	flags.StringVar(&f.debugServer, "debug-server", "", "`address` of an lldb-server that was started by hand, as connect://HOST:PORT from where Envoy is")
	flags.BoolVar(&f.stopOnEntry, "stop-on-entry", false, "stop at the first instruction of the process")
	flags.StringArrayVarP(&f.breaks, "break", "b", []string{config.PresetMain}, "stop at main, syscalls, libevent (presets), `FILE:LINE` or a function; repeatable")
	flags.StringArrayVar(&f.sourceMap, "source-map", nil, "`FROM=TO`: a folder in the debug information and where it is here; repeatable")
	flags.StringArrayVar(&f.set, "set", nil, "any other launch attribute, `NAME=JSON`; repeatable")
	flags.StringArrayVarP(&f.execute, "execute", "x", nil, "`command` to carry out instead of reading the keyboard; repeatable (see \"help\" at the prompt)")
	flags.StringVarP(&f.output, "output", "o", "text", "text, or json for one object a line")
}

func (f *runFlags) run(cmd *cobra.Command, agent []string) error {
	attributes, c, err := f.checked(cmd, agent)
	if err != nil {
		return err
	}
	if f.output != "text" && f.output != "json" {
		return fault.Usage(fmt.Sprintf("--output is %q", f.output), "Give text or json.")
	}
	interactive := term.IsTerminal(int(os.Stdin.Fd())) && len(f.execute) == 0
	if interactive && f.output == "text" && c.Hold == config.HoldAsk && !c.Local() {
		wanted, err := askHold(cmd.Context(), c, os.Stdin, cmd.OutOrStdout())
		if err != nil {
			return err
		}
		attributes["hold"] = wanted
	}
	restore := func() {}
	if before, err := term.GetState(int(os.Stdin.Fd())); err == nil && interactive {
		restore = func() { _ = term.Restore(int(os.Stdin.Fd()), before) }
	}
	var pause *terminal.Pause
	var pauses func() bool
	if interactive {
		pause = terminal.NewPause()
		pauses = pause.Ask
	}
	signals, press := notify(restore, pauses) // first: what follows has something to clean up
	session, release, err := f.session.options(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer release()
	opts := terminal.Options{Session: session, Attributes: attributes, Breaks: f.breaks, Script: f.execute, Interactive: interactive,
		Live: term.IsTerminal(int(os.Stdin.Fd())) || isStream(os.Stdin), JSON: f.output == "json",
		Input: os.Stdin, Output: os.Stdout, Errors: os.Stderr, Interrupt: signals, Pause: pause}
	if term.IsTerminal(int(os.Stdout.Fd())) && !opts.JSON {
		onTerminal(&opts, press)
	}
	err = terminal.Run(opts)
	var interrupted terminal.Interrupted
	switch {
	case errors.Is(err, terminal.ErrFailed):
		return exit(exitError)
	case errors.As(err, &interrupted):
		return exit(signalled(interrupted.Signal))
	}
	return err
}

// onTerminal uses what the terminal can do.
func onTerminal(opts *terminal.Options, press func()) {
	opts.Prompt = opts.Interactive
	if term.IsTerminal(int(os.Stderr.Fd())) {
		opts.Errors = nil
	}
	if kind := os.Getenv("TERM"); kind == "" || kind == "dumb" {
		return
	}
	opts.Screen = os.Stdout
	if opts.Interactive {
		opts.Keyboard, opts.CtrlC = os.Stdin, press
	}
}

// isStream reports whether a file is the end of a pipe or a socket.
func isStream(file *os.File) bool {
	st, err := file.Stat()
	return err == nil && st.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}
