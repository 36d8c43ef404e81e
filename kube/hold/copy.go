package hold

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// graceTime bounds the end of a copy, which nobody needs to end in order.
const graceTime = 5 // seconds

// tokenVolume begins the names of volumes that the API server adds to each pod.
const tokenVolume = "kube-api-access-"

// staticLabels is the variable by which pilot-agent is told labels that its pod does not
// have. istiod takes them for the pod's where it chooses a proxy's configuration.
const staticLabels = "ISTIO_METAJSON_LABELS"

// kept begins the names of labels that stay on a copy: they say how Istio names and
// secures the workload, and neither Services nor controllers choose pods by them.
var kept = []string{"security.istio.io/", "service.istio.io/"}

// foreign begins the names of annotations that others write about one pod.
var foreign = []string{"cni.projectcalico.org/", "k8s.v1.cni.cncf.io/network", "k8s.ovn.org/", "kubernetes.io/config.", "kubernetes.io/limit-ranger",
	"kubectl.kubernetes.io/last-applied-configuration", "ambient.istio.io/", "openshift.io/scc"}

// Options are what a copy needs to know beside the pod.
type Options struct {
	// Name is that of the copy; NameOf makes one.
	Name string
	// Node is the name of the node that the copy must be on; empty for any.
	Node string
	// Await says that the application does not start until Envoy is ready.
	Await bool
	// Capture is the one whose connections Envoy gets; nil for what the pod says.
	Capture *Owner
	// For is how long the cluster lets it live.
	For time.Duration
	// Claims are the access modes of the pod's persistent volume claims, as far as they
	// are known.
	Claims map[string][]core.PersistentVolumeAccessMode
	// Who makes it, Now, of what Target, and whether for a Session alone.
	Who, Target string
	Now         time.Time
	Session     bool
}

// NameOf is the name of a copy of what is called base; unique tells copies apart.
func NameOf(base, unique string) string {
	const longest = 63 // it becomes the copy's host name
	end := "-hold-" + unique
	return strings.TrimRight(base[:min(len(base), longest-len(end))], "-.") + end
}

// Copy makes of a pod that has been injected another one whose container waits for a
// session. The pod itself is not changed. It has no owner and none of the labels by which
// Services, controllers and policies choose pods, and what the API server, the kubelet and
// others have written into the pod is left out. Notes are what is not as in the pod.
func Copy(pod *core.Pod, container string, o Options) (copied *core.Pod, notes []Note) {
	spec := *pod.Spec.DeepCopy()
	own, _ := Container(&spec, container)
	if own == nil {
		return nil, []Note{{What: fmt.Sprintf("pod/%s has no container %s", pod.Name, container), Stops: true}}
	}
	record := Record{Session: o.Session, Who: o.Who, Since: o.Now.UTC().Truncate(time.Second), Until: o.Now.Add(o.For).UTC().Truncate(time.Second), Target: o.Target, Container: container,
		Command: original(pod, own)}
	park(own)
	tell(own, pod.Labels)
	if o.Capture != nil {
		if n := limit(&spec, *o.Capture); n != nil {
			return nil, []Note{*n}
		}
		record.Capture = o.Capture.String()
	}
	for _, list := range [][]core.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			if list[i].Name != container {
				patient(&list[i])
			}
		}
	}
	if o.Await {
		await(&spec, container, o.For)
	}
	notes = append(notes, unshare(&spec, o.Claims)...)
	notes = append(notes, twice(pod)...)
	strip(&spec)
	spec.RestartPolicy = core.RestartPolicyAlways // an application that fails must not end the pod
	seconds, grace := int64(o.For/time.Second), int64(graceTime)
	spec.ActiveDeadlineSeconds = &seconds
	if spec.TerminationGracePeriodSeconds == nil || *spec.TerminationGracePeriodSeconds > grace {
		spec.TerminationGracePeriodSeconds = &grace
	}
	if o.Node != "" {
		pin(&spec, o.Node)
	}
	return &core.Pod{
		TypeMeta: meta.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: meta.ObjectMeta{Name: o.Name, Namespace: pod.Namespace, Labels: labelsOf(pod.Labels),
			Annotations: annotationsOf(pod.Annotations, &record)},
		Spec: spec,
	}, notes
}

// original is the command that starts Envoy in a pod, which may be a copy itself.
func original(pod *core.Pod, c *core.Container) []string {
	if r, err := Read(pod); err == nil && r != nil && r.Container == c.Name {
		return r.Command
	}
	if StartsEnvoy(c) {
		return Command(c)
	}
	return nil
}

// tell gives the agent the labels of the pod that the copy may not have.
func tell(c *core.Container, labels map[string]string) {
	if len(labels) == 0 || slices.ContainsFunc(c.Env, func(e core.EnvVar) bool { return e.Name == staticLabels }) {
		return
	}
	b, err := json.Marshal(labels)
	if err != nil {
		panic(err) // strings
	}
	// $(NAME) would be expanded.
	c.Env = append(c.Env, core.EnvVar{Name: staticLabels, Value: strings.ReplaceAll(string(b), "$(", "$$(")})
}

func labelsOf(of map[string]string) map[string]string {
	labels := map[string]string{Label: KindCopy, "sidecar.istio.io/inject": "false"}
	for name, value := range of {
		if slices.ContainsFunc(kept, func(p string) bool { return strings.HasPrefix(name, p) }) {
			labels[name] = value
		}
	}
	return labels
}

func annotationsOf(of map[string]string, r *Record) map[string]string {
	annotations := maps.Clone(of)
	if annotations == nil {
		annotations = map[string]string{}
	}
	maps.DeleteFunc(annotations, func(name, _ string) bool {
		return slices.ContainsFunc(foreign, func(p string) bool { return strings.HasPrefix(name, p) })
	})
	annotations[Annotation] = r.text()
	return annotations
}

// strip takes away what others have written into the specification of one pod, and what
// is about replicas of one workload.
func strip(spec *core.PodSpec) {
	spec.NodeName, spec.Hostname, spec.Subdomain = "", "", ""
	spec.EphemeralContainers, spec.SchedulingGates, spec.TopologySpreadConstraints = nil, nil, nil
	spec.Priority, spec.PreemptionPolicy, spec.Overhead = nil, nil, nil
	if spec.Affinity != nil {
		spec.Affinity.PodAntiAffinity = nil
	}
	token := func(name string) bool { return strings.HasPrefix(name, tokenVolume) }
	spec.Volumes = slices.DeleteFunc(spec.Volumes, func(v core.Volume) bool { return token(v.Name) })
	for _, list := range [][]core.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			list[i].VolumeMounts = slices.DeleteFunc(list[i].VolumeMounts, func(m core.VolumeMount) bool { return token(m.Name) })
		}
	}
}

// pin lets the scheduler put the pod on one node only, if there is room on it.
func pin(spec *core.PodSpec, node string) {
	if spec.Affinity == nil {
		spec.Affinity = &core.Affinity{}
	}
	if spec.Affinity.NodeAffinity == nil {
		spec.Affinity.NodeAffinity = &core.NodeAffinity{}
	}
	// The node is one that the pod's own rules have chosen already.
	spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = &core.NodeSelector{NodeSelectorTerms: []core.NodeSelectorTerm{{
		MatchFields: []core.NodeSelectorRequirement{{Key: "metadata.name", Operator: core.NodeSelectorOpIn, Values: []string{node}}}}}}
}
