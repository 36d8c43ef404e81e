package kube

import (
	"context"
	"fmt"
	"slices"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Lifecycle says what of the pod's specification would end or restart the container
// while its Envoy is stopped.
func (s *Sidecar) Lifecycle(ctx context.Context) []Finding {
	pod, err := s.cluster.client.CoreV1().Pods(s.Namespace).Get(ctx, s.Pod, meta.GetOptions{})
	if err != nil {
		return []Finding{{Check: "pod", State: Unknown, What: err.Error()}}
	}
	if pod.UID != s.UID {
		return []Finding{{Check: "pod", State: Failed, What: "it has been replaced by another of its name", Fix: "start again"}}
	}
	var out []Finding
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if c.Name == s.Container {
			out = append(out, probes(c)...)
		}
	}
	if d := pod.Spec.ActiveDeadlineSeconds; d != nil {
		out = append(out, Finding{Check: "deadline", State: Warning, What: fmt.Sprintf("the pod is ended %d s after its start", *d),
			Why: "the session ends with it", Fix: "remove activeDeadlineSeconds"})
	}
	return out
}

// probes are the findings of a container's probes.
func probes(c core.Container) []Finding {
	var out []Finding
	restarts := func(name string, p *core.Probe) {
		if p == nil {
			return
		}
		after := int(max(p.FailureThreshold, 1))*int(max(p.PeriodSeconds, 1)) + int(p.InitialDelaySeconds)
		f := Finding{Check: name, State: Warning, What: fmt.Sprintf("restarts the container when it has failed for %d s", after),
			Why: "an Envoy that is stopped or not started does not answer it", Fix: "remove the probe, or raise its failureThreshold"}
		out = append(out, f)
	}
	restarts("livenessProbe", c.LivenessProbe)
	restarts("startupProbe", c.StartupProbe)
	if c.Lifecycle != nil && c.Lifecycle.PostStart != nil {
		out = append(out, Finding{Check: "postStart", State: Warning, What: "a hook runs at the container's start",
			Why: "Kubernetes restarts the container if it fails, and holds back those after it until it has ended",
			Fix: "remove the hook (in Istio: holdApplicationUntilProxyStarts)"})
	}
	if len(out) == 0 {
		out = append(out, Finding{Check: "probes", State: OK, What: "none restarts the container"})
	}
	return out
}
