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

// Held is one object that somebody holds.
type Held struct {
	// Kind is "pod" for a copy, or that of the workload: "statefulset".
	Kind, Namespace, Name string
	UID                   types.UID
	// State is what a copy does: "parked", "ended" after its deadline, or what the kubelet
	// says; "held" for a workload.
	State string
	// Record is nil when somebody has changed it beyond reading; Broken then says how.
	Record *hold.Record
	Broken error

	pod      *core.Pod
	workload *workloadObject
}

// String is the object as kubectl names it.
func (h *Held) String() string { return h.Kind + "/" + h.Name }

// Held lists what is held in the whole cluster, or, where the user may not see that, in the
// cluster's namespace; everywhere says which it was. The copies come first, then the
// workloads, both by namespace and name.
func (c *Cluster) Held(ctx context.Context) (all []*Held, everywhere bool, err error) {
	all, err = c.heldIn(ctx, meta.NamespaceAll)
	if !apierrors.IsForbidden(err) {
		return all, err == nil, err
	}
	all, err = c.heldIn(ctx, c.namespace)
	return all, false, err
}

func (c *Cluster) heldIn(ctx context.Context, namespace string) (all []*Held, err error) {
	pods, err := c.client.CoreV1().Pods(namespace).List(ctx, meta.ListOptions{LabelSelector: hold.Label + "=" + hold.KindCopy})
	if err != nil {
		return nil, err
	}
	for i := range pods.Items {
		all = append(all, heldPod(&pods.Items[i]))
	}
	slices.SortStableFunc(all, func(a, b *Held) int { return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name) })
	return all, nil
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
		h.State = "parked"
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
	all, err := c.heldIn(ctx, c.namespace)
	if err != nil {
		return nil, err
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

// Release gives back what is held, and waits until that is done.
func (c *Cluster) Release(ctx context.Context, h *Held, progress func(format string, args ...any)) error {
	if err := ignoreGone(c.deletePod(ctx, h.pod)); err != nil {
		return err
	}
	return c.gone(ctx, h.pod, progress)
}

// Drop is Release of a session's own copy, which does not wait.
func (c *Cluster) Drop(ctx context.Context, s *Sidecar) error {
	return ignoreGone(c.deletePod(ctx, s.pod))
}

// gone waits until a pod is not there any more.
func (c *Cluster) gone(ctx context.Context, was *core.Pod, progress func(string, ...any)) error {
	late := time.After(goneTime)
	for told := false; ; {
		pod, err := c.client.CoreV1().Pods(was.Namespace).Get(ctx, was.Name, meta.GetOptions{})
		switch {
		case apierrors.IsNotFound(err), err == nil && pod.UID != was.UID:
			return nil
		case err != nil:
			return err
		case !told:
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
