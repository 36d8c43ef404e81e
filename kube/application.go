package kube

import (
	"slices"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"
)

// Application is the container of the same pod whose connections the sidecar is there for:
// the one with that name, or else the first one beside the sidecar. The errors are
// *NoContainerError and *NotRunningError.
func (s *Sidecar) Application(name string) (*Sidecar, error) {
	var names []string
	for _, c := range s.pod.Spec.Containers {
		if c.Name == s.Container {
			continue
		}
		if name == "" {
			name = c.Name
		}
		names = append(names, c.Name)
	}
	if !slices.Contains(names, name) {
		return nil, &NoContainerError{Pod: s.Pod, Container: name, Containers: names}
	}
	return s.cluster.sidecar(s.pod, name)
}

// Others are the names of the pod's other containers that run.
func (s *Sidecar) Others() (names []string) {
	for _, st := range slices.Concat(s.pod.Status.InitContainerStatuses, s.pod.Status.ContainerStatuses) {
		if st.Name != s.Container && st.State.Running != nil {
			names = append(names, st.Name)
		}
	}
	return names
}

// Other is another container of the pod, which must run. The errors are those of
// Application.
func (s *Sidecar) Other(name string) (*Sidecar, error) { return s.cluster.sidecar(s.pod, name) }

// Capture is what a pod's iptables do with the connections of its containers, as its
// specification has it.
type Capture struct {
	// Port is where Envoy gets them.
	Port int
	// UIDs and GIDs are those whose connections are left alone.
	UIDs, GIDs []string
	// Exceptions are what else of the specification keeps connections from Envoy, in
	// words: "traffic.sidecar.istio.io/excludeOutboundPorts: 8080".
	Exceptions []string
}

// What Istio does where nothing else is said.
const (
	capturePort = 15001
	sidecarUser = "1337"
)

// exceptions are annotations by which connections do not get to Envoy.
var exceptions = []string{
	"traffic.sidecar.istio.io/includeOutboundIPRanges",
	"traffic.sidecar.istio.io/excludeOutboundIPRanges",
	"traffic.sidecar.istio.io/includeOutboundPorts",
	"traffic.sidecar.istio.io/excludeOutboundPorts",
	"sidecar.istio.io/interceptionMode",
}

// Capture reads it from the arguments of Istio's init container and from the annotations.
// With Istio's CNI plugin there is no such container, and the usual holds.
func (s *Sidecar) Capture() Capture {
	c := Capture{Port: capturePort, UIDs: []string{sidecarUser}, GIDs: []string{sidecarUser}}
	for _, init := range s.pod.Spec.InitContainers {
		arguments := slices.Concat(init.Command, init.Args)
		at := slices.Index(arguments, "istio-iptables")
		if at < 0 {
			continue
		}
		value := func(short, long string) string {
			for i, word := range arguments[at:] {
				if rest, ok := strings.CutPrefix(word, long+"="); ok {
					return rest
				}
				if (word == short || word == long) && at+i+1 < len(arguments) {
					return arguments[at+i+1]
				}
			}
			return ""
		}
		if port, err := strconv.Atoi(value("-p", "--envoy-port")); err == nil {
			c.Port = port
		}
		if uids := value("-u", "--proxy-uid"); uids != "" {
			c.UIDs = strings.Split(uids, ",")
		}
		if gids := value("-g", "--proxy-gid"); gids != "" {
			c.GIDs = strings.Split(gids, ",")
		}
		c.Exceptions = append(c.Exceptions, groups(init.Env)...)
	}
	if r := s.Held; r != nil && r.Capture != "" {
		c.Exceptions = append(c.Exceptions, "capture: "+r.Capture)
	}
	for _, name := range exceptions {
		if value := s.pod.Annotations[name]; value != "" {
			c.Exceptions = append(c.Exceptions, name+": "+value)
		}
	}
	return c
}

// groups are the variables of istio-iptables that choose connections by their owner's
// group.
func groups(env []core.EnvVar) (all []string) {
	for _, v := range env {
		if strings.HasPrefix(v.Name, "ISTIO_OUTBOUND_OWNER_GROUPS") && v.Value != "" && v.Value != "*" {
			all = append(all, v.Name+": "+v.Value)
		}
	}
	return all
}
