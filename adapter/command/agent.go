package command

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
)

func agentCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "agent",
		Short: "Start, look at and end the agent of a pod, without a debug session",
		Long: `Agent is about the pilot-agent of a parked container, and the Envoy that it starts,
without a debugger. They run on when this command has ended. Only what envoydbg has
started is ever ended: by "agent start", or by a debug session that has left it.`,
		Args:                  unknownCommand,
		DisableFlagsInUseLine: true,
		Run:                   func(cmd *cobra.Command, _ []string) { _ = cmd.Help() },
	}
	cmd.AddCommand(agentStart(), agentStatus(), agentContinue(), agentStop())
	return cmd
}

func agentStart() *cobra.Command {
	var f podFlags
	var env []string
	cmd := &cobra.Command{
		Use:   "start TARGET [-- AGENT ARGUMENTS...]",
		Short: "Start the agent, as the pod's specification says",
		Long: `Start starts the agent in the container, with its own user and environment, and the
command that the pod's specification has for it, or the one after "--". The agent and
Envoy run on until "agent stop", or until the container ends.`,
		Example: `  envoydbg agent start statefulset/fortio-server -n demo`,
		RunE: func(cmd *cobra.Command, args []string) error {
			before, command := args, []string(nil)
			if at := cmd.Flags().ArgsLenAtDash(); at >= 0 {
				before, command = args[:at], args[at:]
			}
			if len(before) != 1 {
				return fault.Usage(fmt.Sprintf("one target is needed, not %d", len(before)), `Give one before "--".`)
			}
			variables, err := parseEnv(env)
			if err != nil {
				return err
			}
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			pid, err := f.target(before[0]).StartAgent(ctx, command, variables)
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "agent started (pid %d)\n", pid)
			}
			return err
		},
		DisableFlagsInUseLine: true,
	}
	f.addBringing(cmd)
	cmd.Flags().StringArrayVar(&env, "env", nil, "`NAME=VALUE` for the agent's environment; repeatable")
	return cmd
}

func agentStop() *cobra.Command {
	var f podFlags
	var force bool
	cmd := &cobra.Command{
		Use:   "stop TARGET",
		Short: "End an agent and Envoy that envoydbg has left in a pod",
		Long: `Stop ends the agent and Envoy that "agent start" has started, or that a debug session
has left running or stopped. After it the next session can begin. It ends nothing that
envoydbg has not started, and no debug session that is still one, unless by --force.`,
		Example:               `  envoydbg agent stop statefulset/fortio-server -n demo`,
		Args:                  cobra.ExactArgs(1),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			stopped, err := f.target(args[0]).StopAgent(ctx, force)
			switch {
			case err != nil:
			case stopped:
				fmt.Fprintln(cmd.OutOrStdout(), "agent and Envoy ended")
			default:
				fmt.Fprintln(cmd.OutOrStdout(), "nothing of envoydbg's was there")
			}
			return err
		},
	}
	f.addBringing(cmd)
	cmd.Flags().BoolVar(&force, "force", false, "end a debug session, too")
	return cmd
}

func agentContinue() *cobra.Command {
	var f podFlags
	cmd := &cobra.Command{
		Use:   "continue TARGET",
		Short: "Let an Envoy run on that a debug session has left stopped",
		Long: `Continue lets an Envoy run on that a debug session has left stopped ("atEnd":
"keepStopped"), from where it stands.`,
		Example:               `  envoydbg agent continue statefulset/fortio-server -n demo`,
		Args:                  cobra.ExactArgs(1),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			err := f.target(args[0]).ContinueAgent(ctx)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), "Envoy runs on")
			}
			return err
		},
	}
	f.addBringing(cmd)
	return cmd
}

func agentStatus() *cobra.Command {
	var f podFlags
	var output string
	cmd := &cobra.Command{
		Use:   "status TARGET",
		Short: "Say whether an agent or Envoy runs in a pod, and whose it is",
		Long: `Status says what there is in the container: a debug session, what one has left, an
agent or Envoy that envoydbg has not started, or nothing of these ("parked"). It brings
the helper into the container, unless it is there.`,
		Example:               `  envoydbg agent status statefulset/fortio-server -n demo -o json`,
		Args:                  cobra.ExactArgs(1),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			print, err := printerOf(output, statusTable)
			if err != nil {
				return err
			}
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			s, err := f.target(args[0]).AgentStatus(ctx)
			if err != nil {
				return err
			}
			if err := print(cmd.OutOrStdout(), agentReport(s)); err != nil {
				return fault.OutputLost(err)
			}
			return nil
		},
	}
	f.addBringing(cmd)
	addOutput(cmd.Flags(), &output)
	return cmd
}

// agentState is what agent status prints.
type agentState struct {
	// State is "parked", "session", "running" or "stopped"; Ours is false where envoydbg
	// has not started what runs.
	State string `json:"state"`
	Ours  bool   `json:"ours"`
	// Who has the session or has left what is there, and since when.
	Who   string `json:"who,omitempty"`
	Since string `json:"since,omitempty"`
	// Until is when a stopped Envoy is ended.
	Until     string         `json:"until,omitempty"`
	Processes []agentProcess `json:"processes"`
}

type agentProcess struct {
	PID     int      `json:"pid"`
	Since   string   `json:"since"`
	Ours    bool     `json:"ours"`
	Command []string `json:"command"`
}

func agentReport(s helper.Status) agentState {
	a := agentState{State: "parked", Processes: []agentProcess{}}
	for _, p := range s.Processes {
		a.State = "running"
		a.Processes = append(a.Processes, agentProcess{p.PID, when(p.Since), p.Ours, p.Args})
	}
	if s.State != "" {
		a.State, a.Ours, a.Who, a.Since, a.Until = string(s.State), true, s.Who, when(s.Since), when(s.Left.Until)
	}
	return a
}

// when is a time as RFC 3339 has it, in this machine's zone; "" for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.RFC3339)
}

// statusTable prints the state for people.
func statusTable(w io.Writer, a agentState) error {
	t := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	who := a.Who
	if a.State == "running" && !a.Ours {
		who = "not envoydbg's"
	}
	fmt.Fprintln(t, "STATE\tWHO\tSINCE\tUNTIL")
	fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", a.State, orDash(who), orDash(a.Since), orDash(a.Until))
	if len(a.Processes) > 0 {
		fmt.Fprintln(t, "\nPID\tSINCE\tCOMMAND")
	}
	for _, p := range a.Processes {
		fmt.Fprintf(t, "%d\t%s\t%s\n", p.PID, p.Since, strings.Join(p.Command, " "))
	}
	return t.Flush()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
