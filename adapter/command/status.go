package command

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/kube"
)

func statusCommand() *cobra.Command {
	var f podFlags
	var output string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "List what is held in the cluster, by whom, and since when",
		Long: `Status lists what envoydbg holds in the whole cluster, whoever has done it. Without the
permissions to list pods and workloads in all namespaces it lists those of one, and says
so.`,
		Example:               `  envoydbg status -o json`,
		Args:                  noWords,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			print, err := printerOf(output, heldTable)
			if err != nil {
				return err
			}
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			cluster, err := connect(f.kubectl)
			if err != nil {
				return err
			}
			held, narrow, unseen, err := cluster.Held(ctx)
			if err != nil {
				return clusterFault(err, "what is held", cluster.Namespace())
			}
			if len(narrow) > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "Only the namespace %s is looked at: you may not list %s in all namespaces.\n", cluster.Namespace(), strings.Join(narrow, ", "))
			}
			if len(unseen) > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "Not even there may you list %s.\n", strings.Join(unseen, ", "))
			}
			if err := print(cmd.OutOrStdout(), heldReport(held)); err != nil {
				return fault.OutputLost(err)
			}
			return nil
		},
	}
	f.add(cmd)
	addOutput(cmd.Flags(), &output)
	return cmd
}

// heldObject is what status prints of one thing that is held.
type heldObject struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"` // as kubectl names it
	// Target is what it was made of, or the workload itself.
	Target    string `json:"target,omitempty"`
	Container string `json:"container,omitempty"`
	State     string `json:"state"`
	Who       string `json:"who,omitempty"`
	Since     string `json:"since,omitempty"`
	Until     string `json:"until,omitempty"` // when the cluster ends it
	// Problem says why its record cannot be read.
	Problem string `json:"problem,omitempty"`
}

func heldReport(held []*kube.Held) []heldObject {
	all := []heldObject{}
	for _, h := range held {
		o := heldObject{Namespace: h.Namespace, Name: h.String(), State: h.State}
		if h.Broken != nil {
			o.Problem = fault.Plain(h.Broken)
		}
		if r := h.Record; r != nil {
			o.Target, o.Container, o.Who, o.Since, o.Until = r.Target, r.Container, r.Who, when(r.Since), when(r.Until)
		}
		all = append(all, o)
	}
	return all
}

// heldTable prints what is held for people.
func heldTable(w io.Writer, all []heldObject) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "nothing is held")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	fmt.Fprintln(t, "NAMESPACE\tNAME\tTARGET\tSTATE\tWHO\tSINCE\tUNTIL")
	for _, o := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", o.Namespace, o.Name, orDash(o.Target), o.State, orDash(o.Who), orDash(o.Since), orDash(o.Until))
	}
	return t.Flush()
}
