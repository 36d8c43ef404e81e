package harness

import (
	"testing"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// heldPods are the pods of a namespace of the test cluster whose sidecars wait for an
// agent, one for each version of LLDB.
type heldPods struct {
	namespace string
	names     map[int]string
}

// holdPods makes the pods of a test, which end with it. It makes none for another target
// than the cluster.
func holdPods(t *testing.T) *heldPods {
	t.Helper()
	if The.Target != Cluster {
		return nil
	}
	return &heldPods{
		namespace: cluster.Of(t).Demo(),
		names:     map[int]string{19: "fortio-server-0", 22: "fortio-server-classic-0"},
	}
}

// pod is the pod of one story.
type pod struct {
	cluster         *cluster.Cluster
	namespace, name string
}

// podOf is the pod that a story has for itself; nil for another target than the cluster.
func (h *heldPods) podOf(t *testing.T, lldb LLDB) *pod {
	t.Helper()
	if h == nil {
		return nil
	}
	return &pod{cluster.Of(t), h.namespace, h.names[lldb.Version]}
}

// under are the attributes that debug an Envoy under the pod's agent: the one of the image
// that is this file.
func (p *pod) under(s *Story, a Attributes, envoy string) Attributes {
	s.T.Helper()
	path, ok := map[string]string{The.Sample: "/usr/local/bin/envoy-sample", The.Envoy: "/usr/local/bin/envoy"}[envoy]
	if !ok {
		s.T.Fatalf("the sidecar's image has no %s", envoy)
	}
	return a.With("target", "pod/"+p.name).With("namespace", p.namespace).With("kubeconfig", p.cluster.Kubeconfig()).
		With("envoyPath", path).
		With("agent", map[string]any{
			"command": []string{"pilot-agent", "proxy", "sidecar", "--domain", p.namespace + ".svc.cluster.local", "--proxyLogLevel", "info"},
			"env":     map[string]string{},
		})
}
