package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/envoydbg/envoydbg/kube/hold"
)

// goneTime bounds the end of a copy that was deleted.
const goneTime = 60 * time.Second

// StateHeld is that of what waits for a session, or has one.
const StateHeld = "held"

// Held is one object that somebody holds.
type Held struct {
	// Kind is "pod" for a copy, or that of the workload: "statefulset".
	Kind, Namespace, Name string
	UID                   types.UID
	// State is StateHeld, "ended" after its deadline, "ending", or what
	// the kubelet says of one that does not run.
	State string
	// Record is nil when somebody has changed it beyond reading; Broken then says how.
	Record *hold.Record
	Broken error

	pod      *core.Pod
	workload *workloadObject
}

// String is the object as kubectl names it.
func (h *Held) String() string { return h.Kind + "/" + h.Name }

// Held lists what is held in the whole cluster, or, of the resources that the user may not
// list there, in the cluster's namespace. These are narrow; what may not even be listed
// there is unseen. The copies come first, then the workloads.
func (c *Cluster) Held(ctx context.Context) (all []*Held, narrow, unseen []string, err error) {
	for _, resource := range heldResources {
		found, err := c.heldIn(ctx, meta.NamespaceAll, resource)
		if apierrors.IsForbidden(err) {
			narrow = append(narrow, resource)
			found, err = c.heldIn(ctx, c.namespace, resource)
		}
		switch {
		case apierrors.IsForbidden(err):
			unseen = append(unseen, resource)
		case err != nil:
			return nil, nil, nil, err
		}
		all = append(all, found...)
	}
	if len(unseen) == len(heldResources) {
		_, err = c.heldIn(ctx, c.namespace, "pods")
	}
	return all, narrow, unseen, err
}

// heldResources are what can be held.
var heldResources = []string{"pods", "statefulsets", "deployments", "daemonsets"}

// heldIn lists what is held of a resource in a namespace, or in all.
func (c *Cluster) heldIn(ctx context.Context, namespace, resource string) (all []*Held, err error) {
	if resource == "pods" {
		pods, err := c.client.CoreV1().Pods(namespace).List(ctx, meta.ListOptions{LabelSelector: hold.Label + "=" + hold.KindCopy})
		if err != nil {
			return nil, err
		}
		for i := range pods.Items {
			all = append(all, heldPod(&pods.Items[i]))
		}
	} else {
		workloads, err := c.workloads(ctx, namespace, resource, hold.Label+"="+hold.KindWorkload)
		if err != nil {
			return nil, err
		}
		for _, w := range workloads {
			all = append(all, heldWorkload(w))
		}
	}
	slices.SortStableFunc(all, func(a, b *Held) int { return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name) })
	return all, nil
}

func heldWorkload(w *workloadObject) *Held {
	h := &Held{Kind: strings.ToLower(w.kind), Namespace: w.meta.GetNamespace(), Name: w.meta.GetName(), UID: w.meta.GetUID(), State: StateHeld, workload: w}
	h.Record, h.Broken = hold.Read(w.meta)
	return h
}

func heldPod(p *core.Pod) *Held {
	h := &Held{Kind: "pod", Namespace: p.Namespace, Name: p.Name, UID: p.UID, pod: p}
	h.Record, h.Broken = hold.Read(p)
	switch {
	case p.DeletionTimestamp != nil:
		h.State = "ending"
	case p.Status.Phase == core.PodFailed && p.Status.Reason == "DeadlineExceeded":
		h.State = "ended"
	case h.Record != nil:
		h.State = StateHeld
		if _, err := (&Cluster{}).sidecar(p, h.Record.Container); err != nil {
			h.State, _ = startState(p)
		}
	default:
		h.State = strings.ToLower(string(p.Status.Phase))
	}
	return h
}

// HeldOf is what is held of a target: the copy of that name, the copies made of the target,
// and the workload itself.
func (c *Cluster) HeldOf(ctx context.Context, target string) ([]*Held, error) {
	var all []*Held
	for _, resource := range heldResources {
		found, err := c.heldIn(ctx, c.namespace, resource)
		if err != nil && (resource == "pods" || !apierrors.IsForbidden(err)) {
			return nil, err
		}
		all = append(all, found...)
	}
	return slices.DeleteFunc(all, func(h *Held) bool { return !h.is(target) }), nil
}

// is says whether an object is held as, or because of, a target. Kinds have many names.
func (h *Held) is(target string) bool {
	if same(h.String(), target) || h.Kind == "pod" && h.Name == target {
		return true
	}
	return h.Record != nil && same(h.Record.Target, target)
}

// Parked is the container of a copy that waits.
func (c *Cluster) Parked(h *Held) (*Sidecar, error) {
	if h.pod == nil || h.Record == nil {
		return nil, ErrNotFound
	}
	return c.sidecar(h.pod, h.Record.Container)
}

// Mine are those that somebody may release without naming them: what he holds himself.
// What target names by its own name is among them, whoever holds it.
func Mine(all []*Held, who, target string) []*Held {
	return slices.DeleteFunc(slices.Clone(all), func(h *Held) bool {
		return !same(h.String(), target) && (h.Record == nil || h.Record.Who != who)
	})
}

// same says whether two targets are one.
func same(a, b string) bool {
	kindA, nameA, okA := strings.Cut(a, "/")
	kindB, nameB, okB := strings.Cut(b, "/")
	if !okA {
		kindA, nameA = "pod", a
	}
	if !okB {
		kindB, nameB = "pod", b
	}
	_, x := workload(kindA)
	_, y := workload(kindB)
	return a == b || nameA == nameB && (x != "" && x == y || isPod(kindA) && isPod(kindB))
}

// Release gives back what is held, and waits until that is done. The error is a
// *hold.ChangedError where it would undo what others have done.
func (c *Cluster) Release(ctx context.Context, h *Held, progress func(format string, args ...any)) error {
	if h.workload != nil {
		return c.releaseWorkload(ctx, h, progress)
	}
	if err := ignoreGone(c.deletePod(ctx, h.pod)); err != nil {
		return err
	}
	return c.gone(ctx, h.pod, progress)
}

// Drop is Release for the end of a session: it does not wait for pods.
func (c *Cluster) Drop(ctx context.Context, h *Held) error {
	if h.workload == nil {
		return ignoreGone(c.deletePod(ctx, h.pod))
	}
	if err := c.restore(ctx, h); err != nil {
		return err
	}
	for {
		if seen, err := c.moveOn(ctx, h.workload, func(string, ...any) {}); seen || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil // it is what it was; only a pod that is broken may stay
		case <-time.After(pollTime):
		}
	}
}

// gone waits until a pod is not there any more.
func (c *Cluster) gone(ctx context.Context, was *core.Pod, progress func(string, ...any)) error {
	late := time.After(goneTime)
	for told := false; ; {
		pod, err := c.client.CoreV1().Pods(was.Namespace).Get(ctx, was.Name, meta.GetOptions{})
		switch {
		case apierrors.IsNotFound(err), err == nil && pod.UID != was.UID:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !transient(err):
			return err
		case err == nil && !told:
			told = true
			progress("pod/%s is ending", was.Name)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			return fmt.Errorf("pod/%s was deleted, but is still there after %v", was.Name, goneTime)
		case <-time.After(pollTime):
		}
	}
}
