package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// populate brings what a new cluster lacks into it: the mesh, and the workloads of
// the folder manifests. It returns when these are ready.
func (s state) populate(ctx context.Context, root string) error {
	for _, step := range []struct {
		name     string
		commands []string
	}{
		{"node ready", []string{
			"wait node/" + nodeName + " --for=create --timeout=60s",
			"wait node/" + nodeName + " --for=condition=Ready --timeout=60s",
		}},
		{"istiod ready", []string{
			"create namespace istio-system",
			"apply --server-side -f bin/tools/istio/istio.yaml",
			"rollout status deployment/istiod -n istio-system --timeout=60s",
			"apply --server-side -f test/cluster/manifests/mesh.yaml",
		}},
		{"workloads ready", []string{
			"apply --server-side -f test/cluster/manifests/demo.yaml",
			"rollout status statefulset/fortio-server -n demo --timeout=60s",
			"wait pod/fortio-server-classic-0 -n demo --for=create --timeout=60s",
			"wait pod/fortio-server-classic-0 -n demo --timeout=60s " +
				`--for=jsonpath={.status.containerStatuses[?(@.name=="istio-proxy")].state.running}`,
		}},
	} {
		if err := s.step(ctx, root, step.name, step.commands...); err != nil {
			return err
		}
	}
	return nil
}

// joined returns when the arm64 node is ready.
func (s state) joined(ctx context.Context, root string) error {
	return s.step(ctx, root, "arm64 node ready",
		"wait node/"+arm64Name+" --for=create --timeout=300s",
		"wait node/"+arm64Name+" --for=condition=Ready --timeout=300s")
}

// step carries out commands of kubectl.
func (s state) step(ctx context.Context, root, name string, commands ...string) error {
	began := time.Now()
	for _, command := range commands {
		out, err := s.kubectl(ctx, root, command)
		if ctx.Err() != nil {
			return errInterrupted
		}
		if err != nil {
			return fmt.Errorf("%w\n%s\n%s", err, out, s.explain(ctx, root))
		}
	}
	say(name, fmt.Sprintf("%.1f s", time.Since(began).Seconds()))
	return nil
}

// kubectl runs kubectl in the checkout, to which paths in the command are relative.
func (s state) kubectl(ctx context.Context, root, command string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(root, "bin/tools/kubectl"), strings.Fields(command)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.path("kubeconfig"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("kubectl %s: %w", command, err)
	}
	return string(out), err
}

// explain says what the cluster looks like. With its state folder all of it goes.
func (s state) explain(ctx context.Context, root string) string {
	var text strings.Builder
	for _, command := range []string{
		"get pods -A -o wide --request-timeout=10s",
		"get events -A --sort-by=.metadata.creationTimestamp --request-timeout=10s",
		"logs deployment/istiod -n istio-system --tail=20 --request-timeout=10s",
	} {
		out, err := s.kubectl(ctx, root, command)
		fmt.Fprintf(&text, "kubectl %s: %v\n%s\n", command, err, out)
	}
	for _, part := range []string{"kubelet", "containerd", arm64Name} {
		if _, err := os.Stat(s.path("logs", part+".log")); err != nil {
			continue // not of this cluster
		}
		fmt.Fprintf(&text, "%s:\n%s\n", part, tail(s.path("logs", part+".log")))
	}
	return text.String()
}
