package command

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/pod"
	"github.com/envoydbg/envoydbg/kube"
	"github.com/envoydbg/envoydbg/kube/hold"
)

// podFlags are those of a command about a pod.
type podFlags struct {
	kubectl    *kube.Flags
	container  string
	debugImage string // only for those that bring the helper
	given      *pflag.FlagSet
}

func (f *podFlags) add(cmd *cobra.Command) {
	cmd.PreRun = func(*cobra.Command, []string) {
		named := maps.Clone(flagOf)
		named["target"] = "TARGET" // an argument here
		fault.SpeakOfFlags(named)
	}
	f.kubectl = kube.NewFlags()
	f.kubectl.Add(cmd.Flags())
	f.given = cmd.Flags()
	cmd.Flags().StringVarP(&f.container, "container", "c", kube.DefaultContainer, "`name` of the container with Envoy in it")
}

// addBringing is add for a command that brings the helper into the container.
func (f *podFlags) addBringing(cmd *cobra.Command) {
	f.add(cmd)
	addDebugImage(cmd.Flags(), &f.debugImage)
}

func addApplication(flags *pflag.FlagSet, application *string) {
	flags.StringVar(application, "application", config.ApplicationRun, "what the application of a held copy does until Envoy is ready: run, or wait")
}

func addCapture(flags *pflag.FlagSet, capture *string) {
	flags.StringVar(capture, "capture", config.CaptureAll, "whose connections the Envoy of a held copy gets: all, \"uid N\" or \"gid N\"")
}

// ownerOf is the one whose connections are captured; nil for all.
func ownerOf(capture string) *hold.Owner {
	kind, id, ok := config.Owner(capture)
	if !ok {
		return nil
	}
	return &hold.Owner{Kind: kind, ID: id}
}

func addDebugImage(flags *pflag.FlagSet, image *string) {
	flags.StringVar(image, "debug-image", "", "`image` with a shell, for a container without one: an ephemeral container of it carries the helper in")
}

// target is the pod that the command names.
func (f *podFlags) target(name string) *pod.Target {
	c := config.Config{Target: name, KubectlFlags: kube.Given(f.given), Container: f.container}
	return &pod.Target{Find: func(ctx context.Context) (pod.Container, error) { return findBy(ctx, f.kubectl, name, f.container) }, Words: c.Words(),
		DebugImage: f.debugImage, Say: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format, args...) }}
}

func logsCommand() *cobra.Command {
	var f podFlags
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs TARGET",
		Short: "Show what the agent and Envoy of a pod's debug session have written",
		Long: `Logs shows what the agent and Envoy of the debug session in a pod have written since
its start, as far as it is kept (8 MiB), whoever has the session.`,
		Example:               `  envoydbg logs statefulset/fortio-server -n demo -f`,
		Args:                  cobra.ExactArgs(1),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			err := f.target(args[0]).Logs(ctx, follow, cmd.OutOrStdout())
			if ctx.Err() != nil {
				return nil
			}
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what they write")
	return cmd
}

func cleanCommand() *cobra.Command {
	var f podFlags
	cmd := &cobra.Command{
		Use:   "clean TARGET",
		Short: "Remove what was brought into a pod",
		Long: `Clean removes the helper and lldb-server that debug sessions have brought into a pod
and left there for the next one, and those that "request" has brought into the
application's containers. With --container it is for one container alone. They go with
the pod in any case.`,
		Example:               `  envoydbg clean statefulset/fortio-server -n demo`,
		Args:                  cobra.ExactArgs(1),
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			gone, err := f.clean(cmd.Context(), args[0], cmd.Flags().Changed("container"))
			for _, dir := range gone {
				fmt.Fprintf(cmd.OutOrStdout(), "removed %s\n", dir)
			}
			if err == nil && len(gone) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "nothing was there")
			}
			return err
		},
	}
	f.add(cmd)
	return cmd
}

// clean cleans the sidecar and, unless only that is meant, the pod's other containers. The
// folders of these are named with their container.
func (f *podFlags) clean(ctx context.Context, target string, only bool) (gone []string, err error) {
	t := f.target(target)
	s, err := findBy(ctx, f.kubectl, target, f.container)
	if err != nil {
		return nil, err
	}
	t.Find = func(context.Context) (pod.Container, error) { return s, nil }
	found, inCluster := s.(container)
	if inCluster && found.Container != kube.DefaultContainer {
		t.Places = append(slices.Clone(pod.Places), placesOf(found.Sidecar)...)
	}
	if inCluster && !only {
		for _, name := range found.Others() {
			dirs, err := cleanOther(ctx, found, name)
			if gone = append(gone, dirs...); err != nil {
				return gone, err
			}
		}
	}
	dirs, err := t.Clean(ctx)
	return append(dirs, gone...), err
}

func cleanOther(ctx context.Context, of container, name string) (gone []string, err error) {
	other, err := of.Other(name)
	if err != nil {
		return nil, clusterFault(err, "pod/"+of.Pod, of.Namespace)
	}
	t := &pod.Target{Find: func(context.Context) (pod.Container, error) { return container{other}, nil }, Places: placesOf(other)}
	gone, err = t.Clean(ctx)
	for i, dir := range gone {
		gone[i] = fmt.Sprintf("%s in container %s", dir, name)
	}
	return gone, err
}
