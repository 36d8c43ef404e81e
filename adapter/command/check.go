package command

import (
	"context"
	"path/filepath"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/pod"
	"github.com/envoydbg/envoydbg/kube"
)

// checkOf is what of doctor's checks a session does: what else would show only later, and
// by something else. An Envoy that runs already keeps the next from its ports; where the
// user names the agent, that may be intended.
func checkOf(c *config.Config) func(context.Context, pod.Container, func(string, ...any)) error {
	return func(ctx context.Context, in pod.Container, say func(string, ...any)) error {
		s := in.(container).Sidecar
		for _, f := range s.Lifecycle(time.Now()) {
			if f.State == kube.Warning {
				say("%s\n", fault.PodRestarts(f.Check, f.What, f.Why, f.Fix))
			}
		}
		if len(c.Agent.Command) > 0 {
			return nil
		}
		room, err := s.Inside(ctx, nil, nil)
		if err != nil {
			return nil // what comes next tells
		}
		f := envoyThere(s, room, nil, filepath.Base(c.EnvoyPath))
		if f.State != kube.Failed {
			return nil
		}
		if owner, err := pod.FindOwner(ctx, in, runsWith(room)); err != nil || owner != nil {
			return nil // the helper says whose it is
		}
		return fault.EnvoyRuns(s.String(), f.What)
	}
}
