package kube

import (
	"errors"
	"slices"
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func meshPod(annotations map[string]string, init ...core.Container) *core.Pod {
	runs := core.ContainerState{Running: &core.ContainerStateRunning{}}
	return &core.Pod{ObjectMeta: meta.ObjectMeta{Name: "web-0", Annotations: annotations}, Spec: core.PodSpec{InitContainers: init,
		Containers: []core.Container{{Name: "istio-proxy"}, {Name: "main-app"}, {Name: "exporter"}}},
		Status: core.PodStatus{ContainerStatuses: []core.ContainerStatus{{Name: "istio-proxy", State: runs}, {Name: "main-app", State: runs},
			{Name: "exporter", State: core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}}}}}
}

func TestTheApplicationBesideASidecar(t *testing.T) {
	s, err := (&Cluster{}).sidecar(meshPod(nil), "istio-proxy")
	if err != nil {
		t.Fatal(err)
	}
	if a, err := s.Application(""); err != nil || a.Container != "main-app" {
		t.Errorf("%v, %v", a, err)
	}
	var broken *NotRunningError
	if _, err := s.Application("exporter"); !errors.As(err, &broken) {
		t.Errorf("%v", err)
	}
	var none *NoContainerError
	for _, name := range []string{"istio-proxy", "no-such"} {
		if _, err := s.Application(name); !errors.As(err, &none) || !slices.Equal(none.Containers, []string{"main-app", "exporter"}) {
			t.Errorf("%v", err)
		}
	}
	if others := s.Others(); !slices.Equal(others, []string{"main-app"}) {
		t.Errorf("%q", others)
	}
}

func TestWhatIstioRedirects(t *testing.T) {
	for _, x := range []struct {
		pod        *core.Pod
		port       int
		uids       []string
		exceptions []string
	}{
		{meshPod(nil), 15001, []string{"1337"}, nil}, // by Istio's CNI plugin
		{meshPod(nil, core.Container{Name: "istio-init", Args: []string{"istio-iptables", "-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT"}}), 15001, []string{"1337"}, nil},
		{meshPod(map[string]string{"traffic.sidecar.istio.io/excludeOutboundPorts": "8080"},
			core.Container{Command: []string{"pilot-agent", "istio-iptables", "--envoy-port=16001", "--proxy-uid", "1000,1337"},
				Env: []core.EnvVar{{Name: "ISTIO_OUTBOUND_OWNER_GROUPS", Value: "1000"}, {Name: "ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE"}}}),
			16001, []string{"1000", "1337"}, []string{"ISTIO_OUTBOUND_OWNER_GROUPS: 1000", "traffic.sidecar.istio.io/excludeOutboundPorts: 8080"}},
	} {
		c := (&Sidecar{pod: x.pod}).Capture()
		if c.Port != x.port || !slices.Equal(c.UIDs, x.uids) || !slices.Equal(c.Exceptions, x.exceptions) {
			t.Errorf("%+v", c)
		}
	}
}
