package kube

import (
	"fmt"
	"slices"
	"time"

	core "k8s.io/api/core/v1"
)

// long is a time in which a session is surely over.
const long = 12 * time.Hour

// Lifecycle says what of the pod's specification would end or restart the container, or
// another one of the pod, while Envoy is stopped or not there. now is the time.
func (s *Sidecar) Lifecycle(now time.Time) []Finding {
	var out []Finding
	for _, c := range slices.Concat(s.pod.Spec.InitContainers, s.pod.Spec.Containers) {
		if c.Name == s.Container {
			out = append(out, s.probes(c, now)...)
			out = append(out, s.hooks(c)...)
		} else {
			out = append(out, throughSidecar(c)...)
		}
	}
	if d := s.pod.Spec.ActiveDeadlineSeconds; d != nil {
		out = append(out, s.deadline(time.Duration(*d)*time.Second, now))
	}
	return out
}

// patience is how long a probe fails before the container is restarted.
func patience(p *core.Probe) time.Duration {
	return time.Duration(max(p.FailureThreshold, 1)) * time.Duration(max(p.PeriodSeconds, 1)) * time.Second
}

// probes are the findings of the sidecar's probes.
func (s *Sidecar) probes(c core.Container, now time.Time) []Finding {
	const stopped = "an Envoy that is stopped or not started does not answer it"
	var out []Finding
	if p := c.StartupProbe; p != nil {
		f := Finding{Check: "startupProbe", State: OK}
		limit := patience(p) + time.Duration(p.InitialDelaySeconds)*time.Second
		status := s.status()
		switch left := limit; {
		case status.Started != nil && *status.Started:
			f.What = "it has succeeded and is not asked again"
		case status.State.Running != nil && !status.State.Running.StartedAt.IsZero():
			left = status.State.Running.StartedAt.Add(limit).Sub(now)
			fallthrough
		default:
			f.What = fmt.Sprintf("restarts the container in %s unless Envoy is ready by then", span(left))
			if left < long {
				f.State, f.Why = Warning, stopped
				f.Fix = "raise its failureThreshold (1000000), or remove the probe"
				if s.Native {
					f.Why += "; the containers after a native sidecar wait for it"
				}
			}
		}
		out = append(out, f)
	}
	if p := c.LivenessProbe; p != nil {
		f := Finding{Check: "livenessProbe", State: OK, What: fmt.Sprintf("restarts the container when it has failed for %s", span(patience(p)))}
		if patience(p) < long {
			f.State, f.Why, f.Fix = Warning, stopped, "remove the probe while you debug, or raise its failureThreshold (1000000)"
		}
		out = append(out, f)
	}
	if c.StartupProbe == nil && c.LivenessProbe == nil {
		out = append(out, Finding{Check: "probes", State: OK, What: "none restarts the container"})
	}
	if c.ReadinessProbe != nil {
		out = append(out, Finding{Check: "readinessProbe", State: OK, What: "restarts nothing; the pod is not ready, and gets no requests from Services, while Envoy does not answer"})
	}
	return out
}

// hooks are the findings of the sidecar's lifecycle hooks.
func (s *Sidecar) hooks(c core.Container) []Finding {
	var out []Finding
	if c.Lifecycle != nil && c.Lifecycle.PostStart != nil {
		out = append(out, Finding{Check: "postStart", State: Warning, What: "a hook runs at the container's start",
			Why: "Kubernetes restarts the container if it fails, and starts no other container before it has ended",
			Fix: `remove the hook (in Istio the annotation proxy.istio.io/config: '{"holdApplicationUntilProxyStarts": false}')`})
	}
	grace := int64(30)
	if g := s.pod.Spec.TerminationGracePeriodSeconds; g != nil {
		grace = *g
	}
	f := Finding{Check: "deletion", State: OK, What: fmt.Sprintf("a pod that is deleted ends within %s, stopped Envoy or not", span(time.Duration(grace)*time.Second))}
	if c.Lifecycle != nil && c.Lifecycle.PreStop != nil {
		f.What += "; its preStop hook waits so long for an Envoy that is stopped"
	}
	return append(out, f)
}

// throughSidecar are the findings of another container's probes, which come through the
// sidecar: Istio lets the agent answer them, or takes their connections to Envoy.
func throughSidecar(c core.Container) []Finding {
	var out []Finding
	for _, x := range []struct {
		name  string
		probe *core.Probe
	}{{"startupProbe", c.StartupProbe}, {"livenessProbe", c.LivenessProbe}} {
		if p := x.probe; p != nil && p.Exec == nil && patience(p) < long {
			out = append(out, Finding{Check: c.Name + " " + x.name, State: Warning,
				What: fmt.Sprintf("restarts %s when it has failed for %s", c.Name, span(patience(p))),
				Why:  "it comes through the sidecar, which does not answer while Envoy is stopped or not started",
				Fix:  "remove the probe while you debug, or raise its failureThreshold (1000000)"})
		}
	}
	return out
}

// deadline is the finding of a pod that may run only so long.
func (s *Sidecar) deadline(limit time.Duration, now time.Time) Finding {
	left := limit
	if t := s.pod.Status.StartTime; t != nil {
		left = t.Add(limit).Sub(now)
	}
	f := Finding{Check: "deadline", State: OK, What: fmt.Sprintf("the pod is ended in %s", span(left))}
	switch {
	case s.Held != nil && left > time.Hour:
		f.What += ", as it was held for"
	case left < long:
		f.State, f.Why, f.Fix = Warning, "the session ends with it", "raise activeDeadlineSeconds, and make the pod anew"
	}
	return f
}

// status is the sidecar's status when it was found.
func (s *Sidecar) status() core.ContainerStatus {
	for _, st := range slices.Concat(s.pod.Status.InitContainerStatuses, s.pod.Status.ContainerStatuses) {
		if st.Name == s.Container {
			return st
		}
	}
	return core.ContainerStatus{}
}

// span is a time for people.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 0:
		return "a moment"
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 5*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
