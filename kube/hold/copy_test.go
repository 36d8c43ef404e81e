package hold

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var now = time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)

var options = Options{Name: "fortio-server-0-hold-abcde", For: 8 * time.Hour, Who: "ann@laptop", Target: "statefulset/fortio-server", Now: now}

var proxy = []string{"pilot-agent", "proxy", "sidecar", "--domain", "demo.svc.cluster.local"}

// live is a pod of a StatefulSet as the API server has it, with a classic sidecar.
func live(change ...func(*core.Pod)) *core.Pod {
	yes, priority, grace := true, int32(7), int64(30)
	probe := func() *core.Probe {
		return &core.Probe{ProbeHandler: core.ProbeHandler{HTTPGet: &core.HTTPGetAction{Path: "/app-health/main-app/livez"}}}
	}
	p := &core.Pod{
		ObjectMeta: meta.ObjectMeta{Name: "fortio-server-0", Namespace: "demo", UID: "1", ResourceVersion: "2", GenerateName: "fortio-server-",
			Labels: map[string]string{"app": "fortio-server", "statefulset.kubernetes.io/pod-name": "fortio-server-0", "security.istio.io/tlsMode": "istio",
				"service.istio.io/canonical-name": "fortio-server"},
			Annotations:     map[string]string{"sidecar.istio.io/status": "{}", "cni.projectcalico.org/podIP": "10.0.0.1", "proxy.istio.io/config": "{}"},
			OwnerReferences: []meta.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "fortio-server", Controller: &yes}}},
		Spec: core.PodSpec{NodeName: "node-1", Hostname: "fortio-server-0", Subdomain: "fortio-server", Priority: &priority, TerminationGracePeriodSeconds: &grace,
			ServiceAccountName: "fortio",
			Volumes: []core.Volume{
				{Name: "kube-api-access-x", VolumeSource: core.VolumeSource{Projected: &core.ProjectedVolumeSource{}}},
				{Name: "istio-token", VolumeSource: core.VolumeSource{Projected: &core.ProjectedVolumeSource{}}},
				{Name: "data", VolumeSource: core.VolumeSource{PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: "data-fortio-server-0"}}},
				{Name: "shared", VolumeSource: core.VolumeSource{PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: "shared"}}},
			},
			InitContainers: []core.Container{{Name: "istio-init", Args: []string{"istio-iptables"}}},
			Containers: []core.Container{
				{Name: "main-app", LivenessProbe: probe(), StartupProbe: probe(), ReadinessProbe: probe(), Ports: []core.ContainerPort{{ContainerPort: 8080, HostPort: 80}},
					VolumeMounts: []core.VolumeMount{{Name: "kube-api-access-x"}, {Name: "data"}}},
				{Name: "istio-proxy", Image: "istio/proxyv2", Args: proxy[1:], StartupProbe: probe(), ReadinessProbe: probe(),
					Lifecycle: &core.Lifecycle{PostStart: &core.LifecycleHandler{}}, Env: []core.EnvVar{{Name: "PROXY_CONFIG", Value: "{}"}},
					VolumeMounts: []core.VolumeMount{{Name: "istio-token"}, {Name: "kube-api-access-x"}}},
			},
		},
		Status: core.PodStatus{Phase: core.PodRunning, PodIP: "10.0.0.1"},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

// native makes istio-proxy an init container that keeps running.
func native(p *core.Pod) {
	always := core.ContainerRestartPolicyAlways
	sidecar := p.Spec.Containers[1]
	sidecar.RestartPolicy = &always
	p.Spec.InitContainers = append(p.Spec.InitContainers, sidecar)
	p.Spec.Containers = p.Spec.Containers[:1]
}

func TestACopyIsParkedAndNobodyElses(t *testing.T) {
	for name, change := range map[string]func(*core.Pod){"classic": func(*core.Pod) {}, "native": native} {
		t.Run(name, func(t *testing.T) {
			pod := live(change)
			before := pod.DeepCopy()
			c, _ := Copy(pod, "istio-proxy", options)
			if !equal(t, pod, before) {
				t.Error("the pod was changed")
			}
			for label := range c.Labels {
				if label == "app" || strings.HasPrefix(label, "statefulset.") {
					t.Errorf("it has the label %s", label)
				}
			}
			if c.Labels[Label] != KindCopy || c.Labels["sidecar.istio.io/inject"] != "false" || c.Labels["security.istio.io/tlsMode"] != "istio" {
				t.Errorf("labels %v", c.Labels)
			}
			if _, there := c.Annotations["cni.projectcalico.org/podIP"]; there || c.Annotations["proxy.istio.io/config"] == "" {
				t.Errorf("annotations %v", c.Annotations)
			}
			if len(c.OwnerReferences) > 0 || c.UID != "" || c.ResourceVersion != "" || c.GenerateName != "" || c.Status.PodIP != "" || c.Name != options.Name || c.Namespace != "demo" {
				t.Errorf("metadata %+v", c.ObjectMeta)
			}
			if s := c.Spec; s.NodeName != "" || s.Hostname != "" || s.Subdomain != "" || s.Priority != nil || s.ServiceAccountName != "fortio" ||
				*s.ActiveDeadlineSeconds != 8*3600 || *s.TerminationGracePeriodSeconds != 5 || s.RestartPolicy != core.RestartPolicyAlways {
				t.Errorf("specification %+v", s)
			}
			own, isNative := Container(&c.Spec, "istio-proxy")
			if isNative != (name == "native") || StartsEnvoy(own) || own.Command[0] != Wait || len(own.Args) == 0 || own.Image != "istio/proxyv2" ||
				own.StartupProbe != nil || own.ReadinessProbe != nil || own.LivenessProbe != nil || own.Lifecycle != nil {
				t.Errorf("sidecar %+v", own)
			}
			if main := c.Spec.Containers[0]; main.LivenessProbe != nil || main.StartupProbe != nil || main.ReadinessProbe == nil || len(main.VolumeMounts) != 1 {
				t.Errorf("main-app %+v", main)
			}
			if len(own.VolumeMounts) != 1 || len(c.Spec.Volumes) != 3 {
				t.Errorf("volumes %+v, mounted %+v", c.Spec.Volumes, own.VolumeMounts)
			}
			var labels map[string]string
			if env := own.Env[len(own.Env)-1]; env.Name != staticLabels || json.Unmarshal([]byte(env.Value), &labels) != nil || labels["app"] != "fortio-server" {
				t.Errorf("the agent is told %v", env)
			}
		})
	}
}

func TestTheRecordSaysWhoHoldsWhat(t *testing.T) {
	c, _ := Copy(live(), "istio-proxy", options)
	r, err := Read(c)
	if err != nil {
		t.Fatal(err)
	}
	if r.Who != "ann@laptop" || r.Target != "statefulset/fortio-server" || r.Container != "istio-proxy" || r.Since != now.Truncate(time.Second) ||
		r.Until.Sub(r.Since) != 8*time.Hour || !slices.Equal(r.Command, proxy[1:]) {
		t.Errorf("%+v", r)
	}
	// A copy of the copy starts what the pod starts.
	again, _ := Copy(c, "istio-proxy", options)
	if r, err := Read(again); err != nil || !slices.Equal(r.Command, proxy[1:]) {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := Read(live()); r != nil || err != nil {
		t.Errorf("what is not held: %+v, %v", r, err)
	}
	c.Annotations[Annotation] = "{"
	if _, err := Read(c); err == nil {
		t.Error("a broken record is none")
	}
}

func TestWhatTwoPodsCannotBothHaveIsToldAndReplaced(t *testing.T) {
	o := options
	o.Claims = map[string][]core.PersistentVolumeAccessMode{"shared": {core.ReadWriteMany}, "data-fortio-server-0": {core.ReadWriteOnce}}
	c, notes := Copy(live(), "istio-proxy", o)
	if v := c.Spec.Volumes; v[1].EmptyDir == nil || v[2].PersistentVolumeClaim == nil {
		t.Errorf("volumes %+v", v)
	}
	if c.Spec.Containers[0].Ports[0].HostPort != 0 {
		t.Error("the host's port")
	}
	said := told(notes)
	for _, want := range []string{"port 80 of the node", "volume data is empty", "ReadWriteOnce"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in %s", want, said)
		}
	}
	o.Claims = nil
	if _, notes := Copy(live(), "istio-proxy", o); !strings.Contains(told(notes), "volume shared is empty") {
		t.Errorf("of a claim that cannot be looked at: %s", told(notes))
	}
	_, notes = Copy(live(func(p *core.Pod) { p.OwnerReferences[0].Kind = "Job" }), "istio-proxy", o)
	if !strings.Contains(told(notes), "once more") {
		t.Errorf("of a job: %s", told(notes))
	}
	_, notes = Copy(live(func(p *core.Pod) { p.Spec.HostNetwork = true }), "istio-proxy", o)
	if !notes[0].Stops || notes[0].Fix == "" {
		t.Errorf("in the node's network: %+v", notes)
	}
	if _, notes := Copy(live(), "envoy", o); !notes[0].Stops {
		t.Errorf("without the container: %+v", notes)
	}
}

// told are the notes as text.
func told(notes []Note) string {
	var all []string
	for _, n := range notes {
		all = append(all, n.What+" ("+n.Why+")")
	}
	return strings.Join(all, "\n")
}

func TestACopyCanBeKeptOnOneNode(t *testing.T) {
	o := options
	o.Node = "node-1"
	c, _ := Copy(live(func(p *core.Pod) {
		p.Spec.Affinity = &core.Affinity{PodAntiAffinity: &core.PodAntiAffinity{}}
		p.Spec.TopologySpreadConstraints = []core.TopologySpreadConstraint{{}}
	}), "istio-proxy", o)
	a := c.Spec.Affinity
	if f := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchFields[0]; f.Values[0] != "node-1" || a.PodAntiAffinity != nil {
		t.Errorf("%+v", a)
	}
	if len(c.Spec.TopologySpreadConstraints) > 0 {
		t.Error("it is spread among the replicas")
	}
}

func TestTheNameOfACopyIsAHostName(t *testing.T) {
	for base, want := range map[string]string{
		"web-0":                                "web-0-hold-abcde",
		strings.Repeat("x", 80):                strings.Repeat("x", 52) + "-hold-abcde",
		strings.Repeat("x", 50) + "-." + "y-z": strings.Repeat("x", 50) + "-hold-abcde",
	} {
		if got := NameOf(base, "abcde"); got != want || len(got) > 63 {
			t.Errorf("%s: %s", base, got)
		}
	}
}

// The kubelet starts the application of a copy that awaits Envoy after a native sidecar.
func TestTheApplicationOfACopyCanWait(t *testing.T) {
	o := options
	o.Await = true
	for name, change := range map[string]func(*core.Pod){"classic": func(*core.Pod) {}, "native": native} {
		c, _ := Copy(live(change), "istio-proxy", o)
		own, isNative := Container(&c.Spec, "istio-proxy")
		if !isNative || own.RestartPolicy == nil || len(c.Spec.Containers) != 1 || len(c.Spec.InitContainers) != 2 || c.Spec.InitContainers[0].Name != "istio-init" {
			t.Fatalf("%s: %+v", name, c.Spec)
		}
		if p := own.StartupProbe; p == nil || p.HTTPGet.Port.IntValue() != 15021 || p.PeriodSeconds*p.FailureThreshold < 8*3600 || own.LivenessProbe != nil {
			t.Errorf("%s: %+v", name, own)
		}
	}
	alone := func(p *core.Pod) { p.Spec.Containers = p.Spec.Containers[1:] }
	c, _ := Copy(live(alone), "istio-proxy", o)
	if own, isNative := Container(&c.Spec, "istio-proxy"); isNative || own.StartupProbe != nil {
		t.Errorf("with nobody to wait: %+v", c.Spec)
	}
}

// A container that runs Envoy itself is found whatever its name, and waits without an agent.
func TestAnEnvoyWithoutAnAgentIsHeld(t *testing.T) {
	own := func(p *core.Pod) {
		p.Spec.Containers[1].Name, p.Spec.Containers[1].Command, p.Spec.Containers[1].Args = "edge", []string{"/usr/local/bin/envoy"}, []string{"-c", "x"}
	}
	for name, test := range map[string]struct {
		change func(*core.Pod)
		want   string
	}{
		"Istio's":     {func(*core.Pod) {}, "istio-proxy"},
		"another one": {own, "edge"},
		"two":         {func(p *core.Pod) { own(p); p.Spec.Containers[0].Command = []string{"envoy"} }, ""},
		"none":        {func(p *core.Pod) { p.Spec.Containers = p.Spec.Containers[:1] }, ""},
	} {
		if got := EnvoyContainer(live(test.change)); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	copied, _ := Copy(live(own), "edge", options)
	if c, _ := Container(&copied.Spec, "edge"); c == nil || StartsEnvoy(c) || c.Command[0] != "sleep" || len(c.Args) > 0 {
		t.Errorf("it runs %+v", c)
	}
	if r, err := Read(copied); err != nil || !slices.Equal(r.Command, []string{"/usr/local/bin/envoy", "-c", "x"}) || EnvoyContainer(copied) != "edge" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestWhatStartsEnvoy(t *testing.T) {
	for line, want := range map[string]bool{
		"proxy sidecar --domain x": true, "/usr/local/bin/pilot-agent proxy router": true, "envoy -c /etc/envoy.yaml": true,
		"/usr/local/bin/pilot-agent wait --url x": false, "sleep infinity": false, "": false, "pilot-agent": false,
	} {
		if got := StartsEnvoy(&core.Container{Command: strings.Fields(line)}); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

// equal compares objects by their JSON.
func equal(t *testing.T, a, b any) bool {
	t.Helper()
	x, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(x) == string(y)
}

// Where no command says it, an image's name makes a container one to look into.
func TestTheContainerOfEnvoyIsFoundByItsImage(t *testing.T) {
	for image, want := range map[string]string{
		"envoyproxy/envoy:v1.40.0":             "proxy",
		"registry:5000/envoy-contrib@sha256:1": "proxy",
		"docker.io/istio/proxyv2:1.30.0":       "proxy",
		"app:1":                                "",
		"example.com/envoy/app:1":              "",
	} {
		pod := &core.Pod{Spec: core.PodSpec{Containers: []core.Container{{Name: "app", Image: "app:2"}, {Name: "proxy", Image: image, Args: []string{"-c", "/x"}}}}}
		if got := EnvoyContainer(pod); got != want {
			t.Errorf("%s: %q", image, got)
		}
		pod.Spec.Containers[1].Command = []string{"sleep", "1"}
		if got := EnvoyContainer(pod); got != "" {
			t.Errorf("%s, which sleeps: %q", image, got)
		}
	}
}
