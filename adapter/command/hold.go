package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/remote"
	"github.com/envoydbg/envoydbg/kube"
	"github.com/envoydbg/envoydbg/kube/hold"
)

func holdCommand() *cobra.Command {
	var f podFlags
	var duration time.Duration
	var copies, workload, sameNode bool
	var application, capture string
	cmd := &cobra.Command{
		Use:   "hold TARGET",
		Short: "Hold a sidecar, so that the start of its Envoy can be debugged",
		Long: `Hold makes a copy of a pod whose sidecar waits in place of starting Envoy, until a
session starts it. The copy is in no Service and has no owner; the pod and its workload
are not touched. TARGET is a pod or a workload; of a workload without pods the copy is
made from its template. After --for the cluster itself ends the copy.

With --workload no copy is made: the next pods of a StatefulSet, Deployment or DaemonSet
come up waiting, and serve nothing until a session has started their Envoy. What the
workload was is kept in it.

"envoydbg run" and an editor hold a copy by themselves where that is needed, for one
session. "envoydbg status" lists what is held, "envoydbg release" gives it back.`,
		Example: `  envoydbg hold statefulset/fortio-server -n demo
  envoydbg hold pod/fortio-server-0 -n demo --for 30m --same-node
  envoydbg hold deployment/web -n demo --workload`,
		Args:                  cobra.ExactArgs(1),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if duration < time.Minute {
				return fault.Usage(fmt.Sprintf("--for is %v", duration), "Give a minute or more, for example 8h.")
			}
			given := cmd.Flags().Changed
			if workload && copies && given("copy") || !workload && !copies {
				return fault.Usage("either a copy or the workload is held", "Give --copy, which is the default, or --workload.")
			}
			if workload && (given("for") || given("same-node")) {
				return fault.Usage("--for and --same-node are about a copy", "Leave them out, or leave out --workload.")
			}
			switch {
			case application != config.ApplicationRun && application != config.ApplicationWait:
				return fault.Usage(fmt.Sprintf("--application is %q", application), "Give run or wait.")
			case workload && application == config.ApplicationWait:
				return fault.Usage("the application of a workload is not kept waiting", "Leave out --application, or leave out --workload.")
			case ownerOf(capture) == nil && capture != config.CaptureAll:
				return fault.Usage(fmt.Sprintf("--capture is %q", capture), "Give all, \"uid N\" or \"gid N\".")
			case workload && capture != config.CaptureAll:
				return fault.Usage("--capture is about a copy", "Leave it out, or leave out --workload.")
			}
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			cluster, err := connect(f.kubectl)
			if err != nil {
				return err
			}
			out, errs := cmd.OutOrStdout(), cmd.ErrOrStderr()
			options := kube.HoldOptions{Who: remote.WhoAmI(), For: duration, SameNode: sameNode, Await: application == config.ApplicationWait, Capture: ownerOf(capture),
				Notes:    func(notes []hold.Note) { fmt.Fprint(errs, noteLines(notes)) },
				Progress: func(format string, args ...any) { fmt.Fprintf(errs, format+"\n", args...) }}
			if workload {
				err = holdWorkload(ctx, cluster, args[0], f.container, options, out, errs)
			} else {
				err = holdCopy(ctx, cluster, args[0], f.container, options, out, errs)
			}
			if err == nil {
				return nil
			}
			var left *kube.LeftError
			if ctx.Err() != nil && !errors.As(err, &left) {
				fmt.Fprintln(errs, "interrupted; nothing is held")
				return exit(signalled(syscall.SIGINT))
			}
			return holdFault(err, args[0], cluster.Namespace())
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&copies, "copy", true, "hold a copy of the pod")
	cmd.Flags().BoolVar(&workload, "workload", false, "hold the workload in place of a copy: its next pods wait")
	cmd.Flags().DurationVar(&duration, "for", holdTime, "`time` after which the cluster ends the copy")
	addApplication(cmd.Flags(), &application)
	addCapture(cmd.Flags(), &capture)
	cmd.Flags().BoolVar(&sameNode, "same-node", false, "put the copy on the pod's node")
	return cmd
}

func holdCopy(ctx context.Context, cluster *kube.Cluster, target, container string, o kube.HoldOptions, out, errs io.Writer) error {
	source, err := cluster.Source(ctx, target, container)
	if err != nil {
		return err
	}
	fmt.Fprintf(errs, "%s\n", source)
	s, held, err := cluster.Copy(ctx, source, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is held until %s\n", held, held.Record.Until.Local().Format(time.DateTime))
	application := "runs, without a network beyond the pod until a session has started Envoy"
	if o.Await {
		application = "starts when a session's Envoy is ready"
	}
	fmt.Fprintf(errs, "Its application %s.\n", application)
	next(errs, s, held)
	return nil
}

func holdWorkload(ctx context.Context, cluster *kube.Cluster, target, container string, o kube.HoldOptions, out, errs io.Writer) error {
	s, held, err := cluster.HoldWorkload(ctx, target, container, o)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is held\n", held)
	fmt.Fprintf(errs, "Its pods are made anew, and serve nothing until a session has started their Envoy; pod/%s waits.\n", s.Pod)
	next(errs, s, held)
	return nil
}

// next says what can be done with what is held.
func next(w io.Writer, s *kube.Sidecar, held *kube.Held) {
	fmt.Fprintf(w, "  envoydbg run pod/%[1]s -n %[2]s   debugs it\n  envoydbg release %[3]s -n %[2]s   gives it back\n", s.Pod, s.Namespace, held)
}
