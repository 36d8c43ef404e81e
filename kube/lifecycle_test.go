package kube

import (
	"context"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// states are the findings in short.
func states(found []Finding) string {
	var all []string
	for _, f := range found {
		all = append(all, f.Check+" "+string(f.State))
	}
	return strings.Join(all, ", ")
}

func TestWhatWouldRestartTheContainerIsTold(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	yes, minute, hours, grace := true, int64(60), int64(1e6), int64(7)
	proxy := func(change func(c *core.Container, p *core.Pod)) func(*core.Pod) {
		return func(p *core.Pod) { change(&p.Spec.Containers[1], p) }
	}
	http := core.ProbeHandler{HTTPGet: &core.HTTPGetAction{Path: "/app-health"}}
	for name, x := range map[string]struct {
		change func(*core.Pod)
		want   string
		says   string
	}{
		"nothing": {func(*core.Pod) {}, "probes ok, deletion ok", "within 30 s"},
		"liveness": {proxy(func(c *core.Container, _ *core.Pod) {
			c.LivenessProbe = &core.Probe{FailureThreshold: 3, PeriodSeconds: 10}
		}), "livenessProbe warning, deletion ok", "failed for 30 s"},
		"patient liveness": {proxy(func(c *core.Container, _ *core.Pod) {
			c.LivenessProbe = &core.Probe{FailureThreshold: 1000000, PeriodSeconds: 10}
		}), "livenessProbe ok, deletion ok", "115 days"},
		"startup": {proxy(func(c *core.Container, p *core.Pod) {
			c.StartupProbe = &core.Probe{FailureThreshold: 600, PeriodSeconds: 1, InitialDelaySeconds: 20}
			p.Status.ContainerStatuses[1].State.Running.StartedAt = meta.NewTime(now.Add(-600 * time.Second))
		}), "startupProbe warning, deletion ok", "in 20 s"},
		"startup, over": {proxy(func(c *core.Container, p *core.Pod) {
			c.StartupProbe = &core.Probe{FailureThreshold: 600}
			p.Status.ContainerStatuses[1].Started = &yes
		}), "startupProbe ok, deletion ok", "succeeded"},
		"startup of a native sidecar": {func(p *core.Pod) {
			p.Spec.Containers[1].StartupProbe = &core.Probe{FailureThreshold: 600}
			native(p)
		}, "startupProbe warning, deletion ok", "native sidecar"},
		"patient startup": {proxy(func(c *core.Container, _ *core.Pod) {
			c.StartupProbe = &core.Probe{FailureThreshold: 1000000}
		}), "startupProbe ok, deletion ok", "11 days"},
		"readiness": {proxy(func(c *core.Container, _ *core.Pod) { c.ReadinessProbe = &core.Probe{} }), "probes ok, readinessProbe ok, deletion ok", "not ready"},
		"hooks": {proxy(func(c *core.Container, p *core.Pod) {
			c.Lifecycle = &core.Lifecycle{PostStart: &core.LifecycleHandler{}, PreStop: &core.LifecycleHandler{}}
			p.Spec.TerminationGracePeriodSeconds = &grace
		}), "probes ok, postStart warning, deletion ok", "within 7 s, stopped Envoy or not; its preStop hook"},
		"deadline":      {func(p *core.Pod) { p.Spec.ActiveDeadlineSeconds = &minute }, "probes ok, deletion ok, deadline warning", "in 60 s"},
		"late deadline": {func(p *core.Pod) { p.Spec.ActiveDeadlineSeconds = &hours }, "probes ok, deletion ok, deadline ok", "11 days"},
		"the application's probe": {func(p *core.Pod) {
			p.Spec.Containers[0].LivenessProbe = &core.Probe{ProbeHandler: http, FailureThreshold: 3, PeriodSeconds: 10}
		}, "main-app livenessProbe warning, probes ok, deletion ok", "through the sidecar"},
		"the application's command": {func(p *core.Pod) {
			p.Spec.Containers[0].LivenessProbe = &core.Probe{ProbeHandler: core.ProbeHandler{Exec: &core.ExecAction{}}}
		}, "probes ok, deletion ok", ""},
	} {
		s, err := cluster(pod("a", "a", x.change)).Find(context.Background(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		found := s.Lifecycle(now)
		said := ""
		for _, f := range found {
			said += f.What + f.Why + f.Fix + "\n"
			if f.State == Warning && (f.Why == "" || f.Fix == "") {
				t.Errorf("%s: a warning without a reason or a fix: %+v", name, f)
			}
		}
		if got := states(found); got != x.want || !strings.Contains(said, x.says) {
			t.Errorf("%s: got  %s\nwant %s with %q\n%s", name, got, x.want, x.says, said)
		}
	}
}
