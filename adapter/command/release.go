package command

import (
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
			target := "you"
			var held []*kube.Held
			if all {
				held, _, _, err = cluster.Held(ctx)
			} else {
				target = args[0]
				held, err = cluster.HeldOf(ctx, target)
			}
			if err != nil {
				return clusterFault(err, target, cluster.Namespace())
			}
			mine := kube.Mine(held, remote.WhoAmI(), target)
			if len(mine) == 0 && !all {
				return fault.NothingHeld(target)
			}
			for _, h := range mine {
				err := cluster.Release(ctx, h, func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) })
				switch {
				case err != nil && ctx.Err() != nil:
					fmt.Fprintf(cmd.ErrOrStderr(), "interrupted; \"envoydbg status\" says what is still held\n")
					return exit(signalled(syscall.SIGINT))
				case err != nil:
					return releaseFault(err, h)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s released (namespace %s)\n", h, h.Namespace)
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "release all that you hold in the cluster")
	return cmd
}
