package hold

import (
	"path"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Wait is the command that parks a sidecar, and WaitArgs its arguments: the agent waits for
// an address that never answers, for 24 days. Istio's images have it, those without a shell
// as well, and it ends at a SIGTERM. The arguments must not be empty: the injector would
// fill them with its own.
const Wait = "/usr/local/bin/pilot-agent"

// WaitArgs are the arguments of Wait.
var WaitArgs = []string{"wait", "--url", "http://127.0.0.1:1/", "--timeoutSeconds", "2147483"}

// Container finds a container of a pod by its name, among the init containers, too; nil if
// there is none. Native says that it is an init container.
func Container(spec *core.PodSpec, name string) (c *core.Container, native bool) {
	for i := range spec.InitContainers {
		if spec.InitContainers[i].Name == name {
			return &spec.InitContainers[i], true
		}
	}
	for i := range spec.Containers {
		if spec.Containers[i].Name == name {
			return &spec.Containers[i], false
		}
	}
	return nil, false
}

// StartsEnvoy says whether a container starts Envoy when it starts: through pilot-agent,
// which Istio's image runs unless told otherwise, or by itself.
func StartsEnvoy(c *core.Container) bool {
	words := slices.Concat(c.Command, c.Args)
	if len(words) == 0 {
		return false
	}
	program := path.Base(words[0])
	return isEnvoy(words[0]) || words[0] == "proxy" || program == "pilot-agent" && len(words) > 1 && words[1] == "proxy"
}

// isEnvoy says of a container's program that it is Envoy itself.
func isEnvoy(program string) bool { return path.Base(program) == "envoy" }

// EnvoyContainer is the name of the one container of a pod that starts Envoy, or is parked
// by envoydbg; "" if there is none, or more than one.
func EnvoyContainer(pod *core.Pod) string {
	if r, err := Read(pod); err == nil && r != nil {
		return r.Container
	}
	var names []string
	for _, list := range [][]core.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			if StartsEnvoy(&list[i]) {
				names = append(names, list[i].Name)
			}
		}
	}
	if len(names) == 0 { // then one that may, by its image's entrypoint
		names = byImage(&pod.Spec)
	}
	if len(names) != 1 {
		return ""
	}
	return names[0]
}

// byImage are the containers that leave their command to an image which is called as those
// of Envoy are.
func byImage(spec *core.PodSpec) (names []string) {
	for _, c := range spec.Containers {
		image, _, _ := strings.Cut(path.Base(c.Image), "@")
		image, _, _ = strings.Cut(image, ":")
		if len(c.Command) == 0 && (image == "envoy" || strings.HasPrefix(image, "envoy-") || strings.HasPrefix(image, "proxyv2")) {
			names = append(names, c.Name)
		}
	}
	return names
}

// waiting is the command, and its arguments, by which a container waits in place of starting
// Envoy. An image with Envoy alone has no pilot-agent to wait, but nearly always sleep.
func waiting(c *core.Container) (command, args []string) {
	if words := Command(c); len(words) > 0 && isEnvoy(words[0]) {
		return []string{"sleep", "2147483"}, nil
	}
	return []string{Wait}, slices.Clone(WaitArgs)
}

// park makes a container wait in place of starting Envoy. Nothing that asks the agent or
// Envoy stays, because neither answers until a session has started them, and nobody needs
// the container's end to wait for them.
func park(c *core.Container) {
	c.Command, c.Args = waiting(c)
	c.StartupProbe, c.ReadinessProbe, c.LivenessProbe, c.Lifecycle = nil, nil, nil, nil
}

// patient takes those probes of another container away that restart it and come through the
// sidecar. What is left runs in the container itself.
func patient(c *core.Container) {
	for _, p := range []**core.Probe{&c.StartupProbe, &c.LivenessProbe} {
		if *p != nil && (*p).Exec == nil {
			*p = nil
		}
	}
}

// ready is where Istio's Envoy says that it is ready, also to the kubelet.
var ready = core.ProbeHandler{HTTPGet: &core.HTTPGetAction{Path: "/healthz/ready", Port: intstr.FromInt32(15021)}}

// await keeps the other containers of a parked pod from starting before its Envoy is ready:
// the kubelet goes on after a native sidecar only when its startup probe has succeeded, and
// this one has the whole life of the pod for that. A classic sidecar becomes a native one. It
// does nothing to a pod whose only container it is.
func await(spec *core.PodSpec, container string, life time.Duration) {
	own, native := Container(spec, container)
	if !native {
		if len(spec.Containers) == 1 {
			return
		}
		spec.InitContainers = append(spec.InitContainers, *own)
		spec.Containers = slices.DeleteFunc(spec.Containers, func(c core.Container) bool { return c.Name == container })
		own, _ = Container(spec, container)
		always := core.ContainerRestartPolicyAlways
		own.RestartPolicy = &always
	}
	own.StartupProbe = &core.Probe{ProbeHandler: ready, PeriodSeconds: 1, TimeoutSeconds: 3, FailureThreshold: int32(life/time.Second) + 1}
}

// Command is what a container runs, its arguments included; empty for what its image says.
func Command(c *core.Container) []string { return slices.Concat(c.Command, c.Args) }
