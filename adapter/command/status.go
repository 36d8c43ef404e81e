package command

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter/control"
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
			held, err := heldIn(ctx, cluster)
			if err != nil {
				return err
			}
			for _, note := range held.Notes {
				fmt.Fprintln(cmd.ErrOrStderr(), note)
			}
			if err := print(cmd.OutOrStdout(), held.Held); err != nil {
				return fault.OutputLost(err)
			}
			return nil
		},
	}
	f.add(cmd)
	addOutput(cmd.Flags(), &output)
	return cmd
}

// heldIn lists what is held in a cluster.
func heldIn(ctx context.Context, cluster *kube.Cluster) (control.HeldList, error) {
	all, narrow, unseen, err := cluster.Held(ctx)
	if err != nil {
		return control.HeldList{}, clusterFault(err, "what is held", cluster.Namespace())
	}
	list := control.HeldList{Held: heldObjects(all)}
	if len(narrow) > 0 {
		list.Notes = append(list.Notes, fmt.Sprintf("Only the namespace %s is looked at: you may not list %s in all namespaces.", cluster.Namespace(), strings.Join(narrow, ", ")))
	}
	if len(unseen) > 0 {
		list.Notes = append(list.Notes, fmt.Sprintf("Not even there may you list %s.", strings.Join(unseen, ", ")))
	}
	return list, nil
}

// heldObjects are things that are held, as they are printed.
func heldObjects(held []*kube.Held) []control.HeldObject {
	all := []control.HeldObject{}
	for _, h := range held {
		all = append(all, heldObject(h))
	}
	return all
}

func heldObject(h *kube.Held) control.HeldObject {
	o := control.HeldObject{Namespace: h.Namespace, Name: h.String(), State: h.State}
	if h.Broken != nil {
		o.Problem = fault.Plain(h.Broken)
	}
	if r := h.Record; r != nil {
		o.Target, o.Container, o.Who, o.Since, o.Until = r.Target, r.Container, r.Who, when(r.Since), when(r.Until)
	}
	return o
}

// heldTable prints what is held for people.
func heldTable(w io.Writer, all []control.HeldObject) error {
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
