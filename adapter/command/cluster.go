package command

import (
	"context"
	"errors"
	"io"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/local"
	"github.com/envoydbg/envoydbg/adapter/pod"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/kube"
)

// targets give the target for launch attributes.
type targets func(*config.Config) startup.Target

// targetOf is the target that the launch attributes name.
func targetOf(c *config.Config) startup.Target {
	if c.Local() {
		return local.Target{}
	}
	return &holding{Target: pod.Target{Check: checkOf(c), DebugImage: c.DebugImage}, cfg: c}
}

// container is a sidecar as the target needs it.
type container struct{ *kube.Sidecar }

// Exec implements pod.Container.
func (c container) Exec(ctx context.Context, command []string, stdin io.Reader, stdout io.Writer) error {
	err := c.Sidecar.Exec(ctx, command, stdin, stdout)
	// A refusal comes as the text of an upgrade that has failed, too.
	if err != nil && strings.Contains(err.Error(), "is forbidden: User") {
		return fault.Forbidden(err.Error())
	}
	return err
}

// Command implements pod.Container.
func (c container) Command() []string { return c.Sidecar.Command }

// Image implements pod.Container.
func (c container) Image() string { return c.Sidecar.Image }

// Shared implements pod.Container.
func (c container) Shared() []string { return c.Sidecar.Shared }

// Beside implements pod.Container.
func (c container) Beside(ctx context.Context, image string, command []string) (pod.Runner, error) {
	beside, err := c.Sidecar.Beside(ctx, image, command)
	var broken *kube.NotRunningError
	switch {
	case err == nil:
		return container{beside}, nil
	case errors.As(err, &broken):
		return nil, fault.ImageNotStarted(image, c.String(), broken.State)
	case apierrors.IsUnauthorized(err), apierrors.IsForbidden(err) && strings.Contains(err.Error(), "is forbidden: User"):
		return nil, fault.Forbidden(err.Error())
	case apierrors.IsNotFound(err) && c.Gone(err):
		return nil, fault.NoPod(c.Pod, c.Namespace, err.Error())
	case ctx.Err() != nil:
		return nil, err
	}
	return nil, fault.ImageRefused(image, c.String(), err)
}

// clusterOf is the cluster that the launch attributes name.
func clusterOf(c *config.Config) (*kube.Cluster, error) {
	flags, err := flagsOf(c)
	if err != nil {
		return nil, err
	}
	return connect(flags)
}

// flagsOf are the launch attributes that lead to a cluster, as kubectl's flags.
func flagsOf(c *config.Config) (*kube.Flags, error) {
	flags := kube.NewFlags()
	arguments := c.KubectlFlags
	for _, f := range []struct{ flag, value string }{{"--namespace", c.Namespace}, {"--context", c.Context}, {"--kubeconfig", c.Kubeconfig}} {
		if f.value != "" {
			arguments = append(arguments, f.flag+"="+f.value)
		}
	}
	if err := flags.Parse(arguments); err != nil {
		return nil, fault.BadAttribute("kubectlFlags", "has a mistake: "+err.Error(), "Write the flags as for kubectl, for example [\"--as=jane\"].")
	}
	return flags, nil
}

// connect is the cluster that kubectl's flags name.
func connect(flags *kube.Flags) (*kube.Cluster, error) {
	cluster, err := kube.Connect(flags)
	if err != nil {
		return nil, fault.NoCluster(err)
	}
	return cluster, nil
}

// findBy finds a sidecar by kubectl's flags.
func findBy(ctx context.Context, flags *kube.Flags, target, name string) (pod.Container, error) {
	cluster, err := connect(flags)
	if err != nil {
		return nil, err
	}
	s, err := cluster.Find(ctx, target, name)
	if err != nil {
		return nil, clusterFault(err, target, cluster.Namespace())
	}
	return container{s}, nil
}

// clusterFault says for the user why a target was not found.
func clusterFault(err error, target, namespace string) error {
	var (
		many   *kube.AmbiguousError
		none   *kube.NoContainerError
		paused *kube.NotRunningError
		kind   *kube.UnknownKindError
	)
	switch {
	case errors.As(err, &many):
		return fault.ManyPods(target, many.Pods)
	case errors.As(err, &none), errors.As(err, &paused):
		return fault.NoContainer(err.Error())
	case errors.As(err, &kind), errors.Is(err, kube.ErrNotFound), apierrors.IsNotFound(err):
		return fault.NoPod(target, namespace, err.Error())
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return fault.Forbidden(err.Error())
	}
	return fault.NoCluster(err)
}
