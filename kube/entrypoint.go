package kube

import (
	"bytes"
	"context"
	"strings"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/envoydbg/envoydbg/kube/hold"
)

// entrypointTime bounds the look at a container's first process.
const entrypointTime = 10 * time.Second

// explain writes into a pod, as it is held here, what its container really runs, where the
// specification leaves that to the image and it is Envoy. The image's entrypoint is in no
// object of the API; the first process tells it.
func (c *Cluster) explain(ctx context.Context, pod *core.Pod, name string) {
	own, _ := hold.Container(&pod.Spec, containerName(pod, name))
	if own == nil || len(own.Command) > 0 || hold.StartsEnvoy(own) {
		return
	}
	s, err := c.sidecar(pod, own.Name)
	if err != nil {
		return // it does not run
	}
	if words := s.firstProcess(ctx); hold.StartsEnvoy(&core.Container{Command: words}) {
		own.Command, own.Args = words, nil
	}
}

// firstProcess is the command of the container's first process; nil where that cannot be
// seen.
func (s *Sidecar) firstProcess(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, entrypointTime)
	defer cancel()
	var out bytes.Buffer
	if err := s.Exec(ctx, []string{"cat", "/proc/1/cmdline"}, nil, &out); err != nil || out.Len() == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\x00"), "\x00")
}

// explained is the template of a workload with what its container really runs, as one of its
// pods tells.
func (c *Cluster) explained(ctx context.Context, w *workloadObject, container string) *core.PodTemplateSpec {
	template := w.template.DeepCopy()
	own, _ := hold.Container(&template.Spec, container)
	if own == nil || len(own.Command) > 0 || hold.StartsEnvoy(own) {
		return template
	}
	pods, err := c.podsOf(ctx, w)
	if err != nil {
		return template
	}
	for i := range pods {
		c.explain(ctx, &pods[i], container)
		if there, _ := hold.Container(&pods[i].Spec, container); there != nil && hold.StartsEnvoy(there) {
			own.Command, own.Args = there.Command, there.Args
			return template
		}
	}
	return template
}
