package command

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/remote"
	"github.com/envoydbg/envoydbg/adapter/traffic"
	"github.com/envoydbg/envoydbg/kube"
	"github.com/envoydbg/envoydbg/kube/hold"
)

// attributesOf are a window's words for a cluster as launch attributes.
func attributesOf(c control.Cluster) *config.Config {
	return &config.Config{Namespace: c.Namespace, Context: c.Context, Kubeconfig: c.Kubeconfig, KubectlFlags: c.KubectlFlags}
}

// Contexts implements control.Backend.
func (b *backend) Contexts(_ context.Context, c control.Cluster) (control.Contexts, error) {
	flags, err := flagsOf(attributesOf(c))
	if err != nil {
		return control.Contexts{}, err
	}
	all, current, err := kube.Contexts(flags)
	if err != nil {
		return control.Contexts{}, fault.NoCluster(err)
	}
	found := control.Contexts{Contexts: []control.Context{}, Current: current}
	for _, c := range all {
		found.Contexts = append(found.Contexts, control.Context(c))
	}
	return found, nil
}

// Sidecars implements control.Backend.
func (b *backend) Sidecars(ctx context.Context, p control.SidecarsParams) (control.Sidecars, error) {
	cluster, err := clusterOf(attributesOf(p.Cluster))
	if err != nil {
		return control.Sidecars{}, err
	}
	all, namespace, err := cluster.Sidecars(ctx, p.AllNamespaces)
	if err != nil {
		return control.Sidecars{}, clusterFault(err, "the sidecars", cluster.Namespace())
	}
	found := control.Sidecars{Sidecars: []control.Sidecar{}, Namespace: namespace}
	for _, l := range all {
		s := control.Sidecar{Namespace: l.Namespace, Target: l.Target, Pod: l.Pod, Container: l.Container, State: l.State}
		if l.Record != nil {
			s.Who = l.Record.Who
		}
		found.Sidecars = append(found.Sidecars, s)
	}
	return found, nil
}

// Held implements control.Backend.
func (b *backend) Held(ctx context.Context, c control.Cluster) (control.HeldList, error) {
	cluster, err := clusterOf(attributesOf(c))
	if err != nil {
		return control.HeldList{}, err
	}
	return heldIn(ctx, cluster)
}

// Hold implements control.Backend.
func (b *backend) Hold(ctx context.Context, p control.HoldParams) (control.HeldObject, error) {
	cluster, err := clusterOf(attributesOf(p.Cluster))
	if err != nil {
		return control.HeldObject{}, err
	}
	o := kube.HoldOptions{Who: remote.WhoAmI(), For: holdTime, Await: p.Application == config.ApplicationWait, Progress: b.progress(ctx),
		Notes: func(notes []hold.Note) {
			if len(notes) > 0 {
				b.listener.Log(control.LogEntry{Level: "warning", Message: strings.TrimSuffix(noteLines(notes), "\n")})
			}
		}}
	var held *kube.Held
	if p.Workload {
		_, held, err = cluster.HoldWorkload(ctx, p.Target, p.Container, o)
	} else {
		var source *kube.Source
		if source, err = cluster.Source(ctx, p.Target, p.Container); err == nil {
			_, held, err = cluster.Copy(ctx, source, o)
		}
	}
	if err != nil {
		return control.HeldObject{}, holdFault(err, p.Target, cluster.Namespace())
	}
	return heldObject(held), nil
}

// Release implements control.Backend.
func (b *backend) Release(ctx context.Context, p control.ReleaseParams) (control.Released, error) {
	cluster, err := clusterOf(attributesOf(p.Cluster))
	if err != nil {
		return control.Released{}, err
	}
	released := control.Released{Released: []control.HeldObject{}}
	err = release(ctx, cluster, p.Target, b.progress(ctx), func(h *kube.Held) { released.Released = append(released.Released, heldObject(h)) })
	return released, err
}

// requestTime bounds each request of a window in which Envoy runs.
const requestTime = 30 * time.Second

// Request implements control.Backend.
func (b *backend) Request(ctx context.Context, p control.RequestParams) (control.Responses, error) {
	f := requestFlags{method: p.Method, headers: p.Headers, user: p.RunAs, count: max(1, p.Count), atOnce: max(1, p.Concurrency), timeout: requestTime}
	none := control.Responses{}
	r, err := f.request(p.URL, strings.NewReader(""))
	if err != nil {
		return none, err
	}
	if r.Body = []byte(p.Body); p.Body != "" && p.Method == "" {
		r.Method = http.MethodPost
	}
	uid, gid, err := f.ids()
	if err != nil {
		return none, err
	}
	flags, err := flagsOf(attributesOf(p.Cluster))
	if err != nil {
		return none, err
	}
	in, err := findBy(ctx, flags, p.Target, p.Container)
	if err != nil {
		return none, err
	}
	say := b.progress(ctx)
	sent := sending{sidecar: in.(container).Sidecar, from: p.From, uid: uid, gid: gid, debugImage: p.DebugImage,
		say: func(format string, args ...any) { say(strings.TrimSuffix(format, "\n"), args...) }}
	var pod traffic.Pod
	all := control.Responses{Responses: []control.Response{}}
	err = sent.run(ctx, r, func(p traffic.Pod) { pod, all.From = p, p.Name }, func(result traffic.Result) {
		one := control.Response{Status: result.Status, Headers: result.Header, Body: string(result.Body), Envoy: result.Path.Envoy,
			Milliseconds: 1000 * result.Seconds}
		if result.Err != nil {
			one.Error = result.Err.Error()
		} else {
			one.How = result.Path.Words(pod)
		}
		all.Responses = append(all.Responses, one)
		if r.Count > 1 {
			say("%d of %d", len(all.Responses), r.Count)
		}
	})
	all.Notes = sent.exceptions
	if err != nil && ctx.Err() == nil && len(all.Responses) > 0 {
		form := fault.From(err).Form()
		all.Failure, err = &form, nil
	}
	return all, err
}
