package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	apps "k8s.io/api/apps/v1"
	autoscaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/envoydbg/envoydbg/kube/hold"
)

// manager is the name under which the API server lists what was changed here.
const manager = "envoydbg"

// attempts bounds how often a change is made anew because the object has changed between
// its reading and its writing, as each status of a controller's does.
const attempts = 10

// TakenError: somebody holds the workload already.
type TakenError struct {
	Target string
	Record *hold.Record // nil when it cannot be read
}

func (e *TakenError) Error() string { return e.Target + " is held already" }

// MakesAnew says whether a target is a workload that makes its pods anew when its template
// is changed, so that it can be held itself.
func MakesAnew(target string) bool {
	kind, _, ok := strings.Cut(target, "/")
	_, resource := workload(kind)
	return ok && slices.Contains(heldResources, resource)
}

// HoldWorkload lets the next pods of a workload come up parked, and waits until one of them
// is. If that does not come to pass, the workload is given back. The errors are *TakenError,
// and as those of Copy.
func (c *Cluster) HoldWorkload(ctx context.Context, target, container string, o HoldOptions) (*Sidecar, *Held, error) {
	if container == "" {
		container = DefaultContainer
	}
	kind, name, _ := strings.Cut(target, "/")
	if !MakesAnew(target) {
		return nil, nil, &UnholdableError{target, hold.Note{What: "only a StatefulSet, a Deployment or a DaemonSet makes pods anew when it is changed",
			Why: "its pods stay as they are", Fix: "hold a copy, or name the workload that owns it"}}
	}
	h, err := c.change(ctx, kind, name, container, o)
	if err != nil {
		return nil, nil, err
	}
	s, err := c.parkedOf(ctx, h, o.Progress)
	if err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
		defer cancel()
		if left := c.Drop(undo, h); left != nil {
			err = &LeftError{Object: h.String(), Cause: err, Err: left}
		}
		return nil, nil, err
	}
	return s, h, nil
}

// change makes the change of a workload, after it has been tried without being stored: the
// pod that the API server would make of it must wait.
func (c *Cluster) change(ctx context.Context, kind, name, container string, o HoldOptions) (*Held, error) {
	var late outdated
	for try := 1; ; try++ {
		w, err := c.workload(ctx, kind, name)
		if err != nil {
			return nil, err
		}
		if late.by(w) {
			return nil, refused(late.err)
		}
		target := strings.ToLower(w.kind) + "/" + name
		container := containerName(&core.Pod{ObjectMeta: w.template.ObjectMeta, Spec: w.template.Spec}, container)
		if r, err := hold.Read(w.meta); err != nil || r != nil {
			return nil, &TakenError{target, r}
		}
		if why := w.stands(); why != "" {
			return nil, &UnholdableError{target, hold.Note{What: why, Why: "it would make no pod that waits", Fix: "change that, or hold a copy"}}
		}
		options := hold.WorkloadOptions{Who: o.Who, Session: o.Session, Target: target, Container: container, Now: time.Now()}
		if pod, err := c.dryPod(ctx, w); err == nil {
			if own, _ := hold.Container(&pod.Spec, container); own != nil {
				options.Command = hold.Command(own)
			}
		}
		template := c.explained(ctx, w, container)
		if own, _ := hold.Container(&template.Spec, container); own != nil && hold.StartsEnvoy(own) {
			options.Command = hold.Command(own)
		}
		operations, err := hold.Workload(w.meta, template, options)
		if err != nil {
			return nil, &UnholdableError{target, hold.Note{What: err.Error(), Why: "the change would lose what is in it", Fix: "hold a copy"}}
		}
		patch, err := atVersion(w, operations)
		if err != nil {
			return nil, err
		}
		tried, err := c.patch(ctx, w, patch, meta.PatchOptions{DryRun: []string{meta.DryRunAll}, FieldManager: manager})
		if err == nil {
			err = c.waits(ctx, tried, container)
		}
		if err == nil && try == 1 {
			o.Notes(append(hold.Owners(w.meta), c.surprised(ctx, w)...))
		}
		if err == nil {
			o.Progress("changing %s", target)
			// A patch that is cancelled may have succeeded.
			changed, wrong := c.patch(context.WithoutCancel(ctx), w, patch, meta.PatchOptions{FieldManager: manager})
			if err = wrong; err == nil {
				return heldWorkload(changed), nil
			}
		}
		if !late.may(w, err) || try == attempts {
			return nil, refused(err)
		}
	}
}

// stands says why a workload makes no pods, as far as it is in its specification; empty
// for one that makes them.
func (w *workloadObject) stands() string {
	none := func(n *int32) bool { return n != nil && *n == 0 }
	switch o := w.meta.(type) {
	case *apps.StatefulSet:
		if none(o.Spec.Replicas) {
			return "it has no replicas"
		}
	case *apps.Deployment:
		switch {
		case none(o.Spec.Replicas):
			return "it has no replicas"
		case o.Spec.Paused:
			return "its rollout is paused"
		}
	}
	return ""
}

// waits checks that a pod which the API server would make of a workload waits.
func (c *Cluster) waits(ctx context.Context, w *workloadObject, container string) error {
	pod, err := c.dryPod(ctx, w)
	if err != nil {
		return err
	}
	own, _ := hold.Container(&pod.Spec, container)
	switch {
	case own == nil:
		return &NoContainerError{Pod: w.meta.GetName(), Container: container}
	case hold.StartsEnvoy(own):
		return &UnholdableError{strings.ToLower(w.kind) + "/" + w.meta.GetName(), hold.Note{
			What: "its sidecar would still be started as " + strings.Join(hold.Command(own), " "), Why: "something else writes its command when the pod is made", Fix: "hold a copy"}}
	}
	return nil
}

// surprised are the notes about what else acts on a workload or does not follow its
// template.
func (c *Cluster) surprised(ctx context.Context, w *workloadObject) (notes []hold.Note) {
	name := w.meta.GetName()
	if all, err := c.client.AutoscalingV2().HorizontalPodAutoscalers(w.meta.GetNamespace()).List(ctx, meta.ListOptions{}); err == nil {
		for _, a := range all.Items {
			if a.Spec.ScaleTargetRef == (autoscaling.CrossVersionObjectReference{Kind: w.kind, Name: name, APIVersion: a.Spec.ScaleTargetRef.APIVersion}) {
				notes = append(notes, hold.Note{What: "the HorizontalPodAutoscaler " + a.Name + " scales " + name, Why: "pods that wait have no load, so it removes some"})
			}
		}
	}
	onDelete := false
	switch o := w.meta.(type) {
	case *apps.StatefulSet:
		onDelete = o.Spec.UpdateStrategy.Type == apps.OnDeleteStatefulSetStrategyType
	case *apps.DaemonSet:
		onDelete = o.Spec.UpdateStrategy.Type == apps.OnDeleteDaemonSetStrategyType
	}
	if onDelete {
		notes = append(notes, hold.Note{What: name + " makes no pod anew before the old one is deleted (OnDelete)", Why: "the pods that run stay as they are",
			Fix: "delete one of them"})
	}
	return notes
}

// outdated is an error of a patch that may come from its being made for an older version
// of the object. The API server applies a patch before it compares versions: where there is
// nothing to be removed any more, that is what it says, and not that there is a conflict.
type outdated struct {
	err     error
	version string
}

// may notes an error of a patch for a version, and says whether it may be for its age.
func (o *outdated) may(w *workloadObject, err error) bool {
	o.err, o.version = err, w.meta.GetResourceVersion()
	return apierrors.IsConflict(err) || apierrors.IsInvalid(err)
}

// by says, of the object as it is now, that the error was not for that.
func (o *outdated) by(w *workloadObject) bool {
	return o.err != nil && !apierrors.IsConflict(o.err) && o.version == w.meta.GetResourceVersion()
}

// atVersion is a JSON patch that is refused when the object has changed since.
func atVersion(w *workloadObject, operations []hold.Operation) ([]byte, error) {
	version, err := json.Marshal(w.meta.GetResourceVersion())
	if err != nil {
		return nil, err
	}
	return json.Marshal(append([]hold.Operation{{Op: "replace", Path: "/metadata/resourceVersion", Value: version}}, operations...))
}

// parkedOf waits until a pod of a held workload is parked.
func (c *Cluster) parkedOf(ctx context.Context, h *Held, progress func(string, ...any)) (*Sidecar, error) {
	late := time.After(copyTime)
	for last := ""; ; {
		pods, err := c.podsOf(ctx, h.workload)
		if err != nil && (ctx.Err() != nil || !transient(err)) {
			return nil, err
		}
		state := "its controller has made no pod yet"
		for i := range pods {
			if !heldBy(&pods[i], h) || pods[i].DeletionTimestamp != nil {
				continue
			}
			if s, err := c.sidecar(&pods[i], h.Record.Container); err == nil {
				return s, nil
			}
			hopeless := false
			if state, hopeless = startState(&pods[i]); hopeless {
				return nil, &NotRunningError{pods[i].Name, h.Record.Container, state}
			}
			state = "pod/" + pods[i].Name + ": " + state
		}
		if state != last {
			last = state
			progress("%s", state)
		}
		if _, err := c.moveOn(ctx, h.workload, progress); err != nil && !transient(err) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-late:
			return nil, &NotRunningError{h.String(), h.Record.Container, fmt.Sprintf("not within %v; %s", copyTime, last)}
		case <-time.After(pollTime):
		}
	}
}

// heldBy says whether a pod is of a workload's held template.
func heldBy(pod *core.Pod, h *Held) bool {
	r, err := hold.Read(pod)
	return err == nil && r != nil && r.Since.Equal(h.Record.Since) && r.Target == h.Record.Target
}

// podsOf are the pods of a workload.
func (c *Cluster) podsOf(ctx context.Context, w *workloadObject) ([]core.Pod, error) {
	selector, err := meta.LabelSelectorAsSelector(w.selector)
	if err != nil {
		return nil, err
	}
	list, err := c.client.CoreV1().Pods(w.meta.GetNamespace()).List(ctx, meta.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// moveOn deletes the pod that a StatefulSet waits for in vain: one of an older template that
// is not ready. Its controller would wait for that for ever, and make no new one. seen is
// false as long as the controller has not looked at the change.
func (c *Cluster) moveOn(ctx context.Context, w *workloadObject, progress func(string, ...any)) (seen bool, err error) {
	if w.kind != "StatefulSet" {
		return true, nil
	}
	set, err := c.client.AppsV1().StatefulSets(w.meta.GetNamespace()).Get(ctx, w.meta.GetName(), meta.GetOptions{})
	switch {
	case err != nil, set.Status.ObservedGeneration < set.Generation:
		return false, err
	case set.Spec.UpdateStrategy.Type == apps.OnDeleteStatefulSetStrategyType:
		return true, nil
	}
	pods, err := c.podsOf(ctx, w)
	if err != nil {
		return false, err
	}
	for i := range pods {
		p := &pods[i]
		if p.Labels[apps.StatefulSetRevisionLabel] == set.Status.UpdateRevision || p.DeletionTimestamp != nil || ready(p) || !meta.IsControlledBy(p, set) {
			continue
		}
		progress("pod/%s is not ready, and its StatefulSet waits for it: it is deleted", p.Name)
		if err := ignoreGone(c.deletePod(ctx, p)); err != nil {
			return false, err
		}
	}
	return true, nil
}

func ready(p *core.Pod) bool {
	for _, condition := range p.Status.Conditions {
		if condition.Type == core.PodReady {
			return condition.Status == core.ConditionTrue
		}
	}
	return false
}

// restore makes a held workload what it was. It does not wait for its pods.
func (c *Cluster) restore(ctx context.Context, h *Held) error {
	var late outdated
	for try := 1; ; try++ {
		w, err := c.at(h.Namespace).workload(ctx, h.Kind, h.Name)
		switch {
		case apierrors.IsNotFound(err), err == nil && w.meta.GetUID() != h.UID:
			return nil
		case err != nil:
			return err
		}
		if r, err := hold.Read(w.meta); r == nil && err == nil {
			return nil // somebody was faster
		}
		if late.by(w) {
			return late.err
		}
		operations, err := hold.Undo(w.meta)
		if err != nil {
			return err
		}
		patch, err := atVersion(w, operations)
		if err != nil {
			return err
		}
		restored, err := c.patch(ctx, w, patch, meta.PatchOptions{FieldManager: manager})
		if err == nil {
			h.workload = restored
			_ = c.disown(ctx, restored) // the object is what it was, whoever owns it
			return nil
		}
		if !late.may(w, err) || try == attempts {
			return err
		}
	}
}

// disown takes the name away from what was put back, so that whoever applies the object
// next owns it without a conflict.
func (c *Cluster) disown(ctx context.Context, w *workloadObject) error {
	for try := 1; ; try++ {
		var others []meta.ManagedFieldsEntry
		for _, entry := range w.meta.GetManagedFields() {
			if entry.Manager != manager {
				others = append(others, entry)
			}
		}
		if r, err := hold.Read(w.meta); r != nil || err != nil || len(others) == 0 || len(others) == len(w.meta.GetManagedFields()) {
			return nil
		}
		value, err := json.Marshal(others)
		if err != nil {
			return err
		}
		patch, err := atVersion(w, []hold.Operation{{Op: "replace", Path: "/metadata/managedFields", Value: value}})
		if err != nil {
			return err
		}
		if _, err = c.patch(ctx, w, patch, meta.PatchOptions{FieldManager: manager}); err == nil || !apierrors.IsConflict(err) || try == attempts {
			return err
		}
		if w, err = c.at(w.meta.GetNamespace()).workload(ctx, w.kind, w.meta.GetName()); err != nil {
			return ignoreGone(err)
		}
	}
}

// at is the cluster with another namespace.
func (c *Cluster) at(namespace string) *Cluster {
	other := *c
	other.namespace = namespace
	return &other
}

// releaseWorkload makes a held workload what it was, and waits until its pods are of that,
// too, as long as they come to be.
func (c *Cluster) releaseWorkload(ctx context.Context, h *Held, progress func(string, ...any)) error {
	if err := c.restore(ctx, h); err != nil {
		return err
	}
	late := time.After(copyTime)
	for told := false; ; {
		pods, err := c.podsOf(ctx, h.workload)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !transient(err):
			return err
		}
		left := 0
		for i := range pods {
			if h.Record != nil && heldBy(&pods[i], h) {
				left++
			}
		}
		switch {
		case err != nil:
		case left == 0:
			return nil
		case !told:
			told = true
			progress("%s is as it was; %d of its pods are made anew", h, left)
		}
		if _, err := c.moveOn(ctx, h.workload, progress); err != nil && !transient(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-late:
			progress("%d pods are not made anew after %v", left, copyTime)
			return nil
		case <-time.After(pollTime):
		}
	}
}
