package command

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/pod"
	"github.com/envoydbg/envoydbg/kube"
)

func doctorCommand() *cobra.Command {
	var f podFlags
	var output, dap string
	cmd := &cobra.Command{
		Use:   "doctor TARGET",
		Short: "Check whether the Envoy of a pod can be debugged",
		Long: `Doctor checks whether a session with a pod would work, and changes nothing: the API
server, your permissions, the pod and its container, and the programs on this
machine. TARGET is a pod or workload, as kubectl takes it.

Exit codes: 0 when a session can work, 1 when a check has failed, 2 for a wrong
command line.`,
		Example: `  envoydbg doctor statefulset/fortio-server -n demo
  envoydbg doctor pod/fortio-server-0 -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			print, ok := printers[output]
			if !ok {
				return fault.Usage(fmt.Sprintf("--output is %q", output), "It is table, json or yaml.")
			}
			found := examine(cmd, &f, args[0], dap)
			if err := print(cmd.OutOrStdout(), found); err != nil {
				return fault.OutputLost(err)
			}
			for _, f := range found {
				if f.State == kube.Failed {
					return exit(exitError)
				}
			}
			return nil
		},
		DisableFlagsInUseLine: true,
	}
	f.add(cmd)
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table, json or yaml")
	cmd.Flags().StringVar(&dap, "lldb-dap", "", "lldb-dap `program`")
	return cmd
}

// printers print findings in each of the formats.
var printers = map[string]func(io.Writer, []kube.Finding) error{
	"table": printTable,
	"json": func(w io.Writer, found []kube.Finding) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(found)
	},
	"yaml": func(w io.Writer, found []kube.Finding) error {
		b, err := yaml.Marshal(found)
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	},
}

// printTable prints a row for each check, and below it what to do about it.
func printTable(w io.Writer, found []kube.Finding) error {
	t := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	fmt.Fprintln(t, "CHECK\tSTATE\tFOUND")
	for _, f := range found {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Check, f.State, strings.ReplaceAll(f.What, "\n", " "))
		if f.Why != "" {
			fmt.Fprintf(t, "\t\t  why: %s\n", f.Why)
		}
		if f.Fix != "" {
			fmt.Fprintf(t, "\t\t  fix: %s\n", f.Fix)
		}
	}
	return t.Flush()
}

// examine does the checks, as far as each lets the next be done.
func examine(cmd *cobra.Command, flags *podFlags, target, dap string) []kube.Finding {
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	found := []kube.Finding{programs(dap)}
	cluster, err := kube.Connect(flags.kubectl)
	if err != nil {
		return append(found, kube.Finding{Check: "kubeconfig", State: kube.Failed, What: err.Error(), Fix: "kubectl config view"})
	}
	reach := cluster.Reach()
	if found = append(found, reach); reach.State == kube.Failed {
		return found
	}
	found = append(found, cluster.May(ctx, kube.Permissions(target))...)
	s, err := cluster.Find(ctx, target, flags.container)
	if err != nil {
		f := fault.From(clusterFault(err, target, cluster.Namespace()))
		return append(found, kube.Finding{Check: "pod", State: kube.Failed, What: strings.Join(append([]string{f.What}, f.Evidence...), " "), Fix: f.Do})
	}
	kind := "container"
	if s.Native {
		kind = "native sidecar"
	}
	found = append(found, kube.Finding{Check: "pod", State: kube.OK, What: fmt.Sprintf("%s on node %s; %s %s", s.Pod, s.Node, kind, s.Container)})
	found = append(found, s.Lifecycle(ctx)...)
	return append(found, s.Inside(ctx, pod.Places)...)
}

// programs looks for LLDB on this machine.
func programs(wanted string) kube.Finding {
	f := kube.Finding{Check: "LLDB here", State: kube.OK}
	path, err := lldb.FindDAP(wanted)
	if err != nil {
		broken := fault.From(err)
		f.State, f.What, f.Fix = kube.Failed, broken.What, broken.Do
		return f
	}
	f.What = path
	return f
}
