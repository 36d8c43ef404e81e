package command

import (
	"context"
	"fmt"
	"syscall"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/remote"
	"github.com/envoydbg/envoydbg/kube"
)

// releaseFault says for the user why something could not be released.
func releaseFault(err error, h *kube.Held) error {
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return fault.Forbidden(err.Error())
	}
	return fault.NotReleased(h.String(), err)
}

// release gives back what is held of a target, or, without one, all that the user holds in
// the cluster. done is told of each.
func release(ctx context.Context, cluster *kube.Cluster, target string, progress func(string, ...any), done func(*kube.Held)) error {
	find := func() (held []*kube.Held, err error) { return cluster.HeldOf(ctx, target) }
	name := target
	if target == "" {
		name = "you"
		find = func() (held []*kube.Held, err error) { held, _, _, err = cluster.Held(ctx); return held, err }
	}
	held, err := find()
	if err != nil {
		return clusterFault(err, name, cluster.Namespace())
	}
	mine := kube.Mine(held, remote.WhoAmI(), name)
	if len(mine) == 0 && target != "" {
		return fault.NothingHeld(target)
	}
	for _, h := range mine {
		if err := cluster.Release(ctx, h, progress); err != nil {
			return releaseFault(err, h)
		}
		done(h)
	}
	return nil
}

func releaseCommand() *cobra.Command {
	var f podFlags
	var all bool
	cmd := &cobra.Command{
		Use:   "release [TARGET]",
		Short: "Give back what is held",
		Long: `Release removes the copies that you have made of TARGET, and makes a workload that you
hold exactly what it was; with --all, all of yours in the whole cluster. What somebody
else holds, or you from another machine, is released by its own name, as "envoydbg
status" lists it. Release waits for the pods, and undoes nothing that others have
changed.`,
		Example: `  envoydbg release statefulset/fortio-server -n demo
  envoydbg release pod/fortio-server-0-hold-x4k2a -n demo
  envoydbg release --all`,
		Args:                  cobra.MaximumNArgs(1),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) == 1) {
				return fault.Usage("one target, or --all, says what to release", "Give one of them.")
			}
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			cluster, err := connect(f.kubectl)
			if err != nil {
				return err
			}
			target := ""
			if !all {
				target = args[0]
			}
			err = release(ctx, cluster, target, func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) },
				func(h *kube.Held) { fmt.Fprintf(cmd.OutOrStdout(), "%s released (namespace %s)\n", h, h.Namespace) })
			if err != nil && ctx.Err() != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "interrupted; \"envoydbg status\" says what is still held\n")
				return exit(signalled(syscall.SIGINT))
			}
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "release all that you hold in the cluster")
	return cmd
}
