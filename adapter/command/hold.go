package command

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/remote"
	"github.com/envoydbg/envoydbg/kube"
	"github.com/envoydbg/envoydbg/kube/hold"
)

func holdCommand() *cobra.Command {
	var f podFlags
	var duration time.Duration
	var copies, sameNode bool
	cmd := &cobra.Command{
		Use:   "hold TARGET",
		Short: "Hold a sidecar, so that the start of its Envoy can be debugged",
		Long: `Hold makes a copy of a pod whose sidecar waits in place of starting Envoy, until a
session starts it. The copy is in no Service and has no owner; the pod and its workload
are not touched. TARGET is a pod or a workload; of a workload without pods the copy is
made from its template. After --for the cluster itself ends the copy.

"envoydbg run" and an editor hold a copy by themselves where that is needed, for one
session. "envoydbg status" lists what is held, "envoydbg release" gives it back.`,
		Example: `  envoydbg hold statefulset/fortio-server -n demo
  envoydbg hold pod/fortio-server-0 -n demo --for 30m --same-node`,
		Args:                  cobra.ExactArgs(1),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			fault.SpeakOfFlags(flagOf)
			if duration < time.Minute {
				return fault.Usage(fmt.Sprintf("--for is %v", duration), "Give a minute or more, for example 8h.")
			}
			if !copies {
				return fault.Usage("--copy is false, and nothing else is to be held", "Leave it out.")
			}
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			cluster, err := connect(f.kubectl)
			if err != nil {
				return err
			}
			source, err := cluster.Source(ctx, args[0], f.container)
			if err != nil {
				return holdFault(err, args[0], cluster.Namespace())
			}
			out, errs := cmd.OutOrStdout(), cmd.ErrOrStderr()
			fmt.Fprintf(errs, "%s\n", source)
			s, err := cluster.Copy(ctx, source, kube.CopyOptions{Who: remote.WhoAmI(), For: duration, SameNode: sameNode,
				Notes:    func(notes []hold.Note) { fmt.Fprint(errs, noteLines(notes)) },
				Progress: func(format string, args ...any) { fmt.Fprintf(errs, format+"\n", args...) }})
			if err != nil {
				return holdFault(err, args[0], cluster.Namespace())
			}
			fmt.Fprintf(out, "pod/%s is held until %s\n", s.Pod, s.Held.Until.Local().Format(time.DateTime))
			fmt.Fprintf(errs, "Its application runs, without a network beyond the pod until a session has started Envoy.\n"+
				"  envoydbg run pod/%[1]s -n %[2]s   debugs it\n  envoydbg release pod/%[1]s -n %[2]s   gives it back\n", s.Pod, s.Namespace)
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&copies, "copy", true, "hold a copy of the pod")
	cmd.Flags().DurationVar(&duration, "for", holdTime, "`time` after which the cluster ends the copy")
	cmd.Flags().BoolVar(&sameNode, "same-node", false, "put the copy on the pod's node")
	return cmd
}
