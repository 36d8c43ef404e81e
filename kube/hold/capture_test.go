package hold

import (
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
)

// privileged gives Istio's init container what it has in a mesh.
func privileged(p *core.Pod) {
	root := int64(0)
	p.Spec.InitContainers[0].Image = "istio/proxyv2"
	p.Spec.InitContainers[0].SecurityContext = &core.SecurityContext{RunAsUser: &root, Capabilities: &core.Capabilities{Add: []core.Capability{"NET_ADMIN", "NET_RAW"}, Drop: []core.Capability{"ALL"}}}
}

func limited(t *testing.T, pod *core.Pod, o Owner) *core.Pod {
	t.Helper()
	x := options
	x.Capture = &o
	made, notes := Copy(pod, "istio-proxy", x)
	if i := slices.IndexFunc(notes, func(n Note) bool { return n.Stops }); i >= 0 {
		t.Fatalf("it stops: %+v", notes[i])
	}
	if r, err := Read(made); err != nil || r.Capture != o.String() {
		t.Fatalf("the record is %+v, %v", r, err)
	}
	return made
}

// One user's rule comes right after Istio's, with its privileges and no other; a copy of the
// copy has one rule, too.
func TestOneUserIsCapturedByARuleAfterIstios(t *testing.T) {
	pod := live(privileged, native)
	made := limited(t, pod, Owner{"uid", "1000"})
	made = limited(t, made, Owner{"uid", "1001"})
	init := made.Spec.InitContainers
	if len(init) != 3 || init[0].Name != "istio-init" || init[1].Name != captureContainer || init[2].Name != "istio-proxy" {
		t.Fatalf("the init containers are %+v", init)
	}
	if !slices.Contains(init[1].Command, "1001") || init[1].Image != init[0].Image || !slices.Equal(init[1].SecurityContext.Capabilities.Add, init[0].SecurityContext.Capabilities.Add) {
		t.Errorf("the rule is set by %+v", init[1])
	}
	if len(pod.Spec.InitContainers) != 2 {
		t.Error("the pod itself was changed")
	}
}

// One group is Istio's own variable, and nothing is added.
func TestOneGroupIsCapturedByIstiosVariable(t *testing.T) {
	pod := live(privileged, func(p *core.Pod) { p.Spec.InitContainers[0].Env = []core.EnvVar{{Name: ownerGroups, Value: "*"}} })
	made := limited(t, pod, Owner{"gid", "1000"})
	if init := made.Spec.InitContainers; len(init) != 1 || !slices.Equal(init[0].Env, []core.EnvVar{{Name: ownerGroups, Value: "1000"}}) {
		t.Errorf("the init containers are %+v", init)
	}
}

// Where nothing in the pod sets its iptables, the copy is not made.
func TestCaptureNeedsIstiosInitContainer(t *testing.T) {
	for name, change := range map[string]func(*core.Pod){
		"ambient": func(p *core.Pod) { p.Spec.InitContainers = nil },
		"CNI": func(p *core.Pod) {
			p.Spec.InitContainers[0].Args = []string{"istio-iptables", "--run-validation", "--skip-rule-apply"}
		},
	} {
		x := options
		x.Capture = &Owner{"uid", "1000"}
		_, notes := Copy(live(change), "istio-proxy", x)
		if len(notes) == 0 || !notes[0].Stops {
			t.Errorf("%s: the notes are %+v", name, notes)
		}
	}
}
