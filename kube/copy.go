package kube

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/envoydbg/envoydbg/kube/hold"
)

// Bounds of a copy.
const (
	// copyTime bounds the start of a copy, the pull of its images included.
	copyTime = 3 * time.Minute
	// undoTime bounds the removal of one that was not wanted after all.
	undoTime = 3 * time.Second
)

// Source is what a copy can be made from.
type Source struct {
	// Pod is a live pod, or what the API server and its webhooks make of a workload's
	// template.
	Pod *core.Pod
	// Live says which of the two it is.
	Live bool
	// Target is as the user has named it, and Container the one with Envoy in it.
	Target, Container string
}

// StartsEnvoy says whether the container starts Envoy by itself, that is, whether it has
// to be held to be debugged.
func (s *Source) StartsEnvoy() bool {
	c, _ := hold.Container(&s.Pod.Spec, s.Container)
	return hold.StartsEnvoy(c)
}

// String says what it is and how its sidecar is, for the user.
func (s *Source) String() string {
	c, native := hold.Container(&s.Pod.Spec, s.Container)
	kind := "classic sidecar"
	if native && c.RestartPolicy != nil && *c.RestartPolicy == core.ContainerRestartPolicyAlways {
		kind = "native sidecar"
	}
	if !s.Live {
		return fmt.Sprintf("%s / %s (%s), no pod runs", s.Target, s.Container, kind)
	}
	state := "not started"
	for _, st := range slices.Concat(s.Pod.Status.InitContainerStatuses, s.Pod.Status.ContainerStatuses) {
		switch {
		case st.Name != s.Container:
		case st.State.Running != nil:
			state = "Envoy is running"
		default:
			state = stateText(st.State)
		}
		if st.Name == s.Container && st.RestartCount > 0 {
			state += fmt.Sprintf(", restarted %d times", st.RestartCount)
		}
	}
	return fmt.Sprintf("%s / %s (%s), %s", s.Pod.Name, s.Container, kind, state)
}

// Source finds what a copy of a target can be made from: one of its pods, whatever state it
// is in, or, where it has none, the template of the workload. The errors are as those of
// Find.
func (c *Cluster) Source(ctx context.Context, target, container string) (*Source, error) {
	if container == "" {
		container = DefaultContainer
	}
	s := &Source{Target: target, Container: container, Live: true}
	pods, err := c.pods(ctx, target)
	if err != nil {
		return nil, err
	}
	// All are alike, or will be: the newest has the newest template.
	slices.SortFunc(pods, func(a, b core.Pod) int { return b.CreationTimestamp.Compare(a.CreationTimestamp.Time) })
	for i := range pods {
		if pods[i].DeletionTimestamp == nil || len(pods) == 1 {
			s.Pod = &pods[i]
			break
		}
	}
	if s.Pod == nil {
		s.Live = false
		if s.Pod, err = c.fromTemplate(ctx, target); err != nil {
			return nil, err
		}
	}
	if s.Live {
		c.explain(ctx, s.Pod, container)
	}
	container = containerName(s.Pod, container)
	s.Container = container
	if found, _ := hold.Container(&s.Pod.Spec, container); found == nil {
		e := &NoContainerError{Pod: s.Pod.Name, Container: container}
		for _, c := range slices.Concat(s.Pod.Spec.InitContainers, s.Pod.Spec.Containers) {
			e.Containers = append(e.Containers, c.Name)
		}
		return nil, e
	}
	return s, nil
}

// fromTemplate lets the API server make a pod of a workload's template without storing it,
// with all that its webhooks add.
func (c *Cluster) fromTemplate(ctx context.Context, target string) (*core.Pod, error) {
	kind, name, _ := strings.Cut(target, "/")
	if _, resource := workload(kind); resource == "" {
		return nil, fmt.Errorf("%s: %w", target, ErrNotFound)
	}
	w, err := c.workload(ctx, kind, name)
	if err != nil {
		return nil, err
	}
	return c.dryPod(ctx, w)
}

// dryPod is a pod of a workload as the API server would make it now.
func (c *Cluster) dryPod(ctx context.Context, w *workloadObject) (*core.Pod, error) {
	// The injector names the workload after the pod's owner.
	yes, name := true, w.meta.GetName()
	pod := &core.Pod{ObjectMeta: *w.template.ObjectMeta.DeepCopy(), Spec: *w.template.Spec.DeepCopy()}
	pod.Namespace, pod.GenerateName = c.namespace, name+"-"
	pod.OwnerReferences = []meta.OwnerReference{{APIVersion: w.version, Kind: w.kind, Name: name, UID: w.meta.GetUID(), Controller: &yes}}
	for _, claim := range w.claims { // the controller adds them
		pod.Spec.Volumes = append(pod.Spec.Volumes, core.Volume{Name: claim.Name, VolumeSource: core.VolumeSource{
			PersistentVolumeClaim: &core.PersistentVolumeClaimVolumeSource{ClaimName: claim.Name + "-" + name}}})
	}
	made, err := c.client.CoreV1().Pods(c.namespace).Create(ctx, pod, meta.CreateOptions{DryRun: []string{meta.DryRunAll}})
	if err != nil {
		return nil, refused(err)
	}
	made.Name = name
	return made, nil
}

// RefusedError: the API server does not take what is to be held, for another reason than
// the user's permissions: a quota, an admission policy, a webhook that does not answer.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap gives the API server's error.
func (e *RefusedError) Unwrap() error { return e.Err }

// refused tells refusals from what is about permissions or the connection.
func refused(err error) error {
	switch {
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), "is forbidden: User"), apierrors.IsUnauthorized(err), apierrors.IsNotFound(err):
		return err
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsInternalError(err):
		return &RefusedError{err}
	}
	return err
}

// UnholdableError: it cannot be held in this way.
type UnholdableError struct {
	Target string
	Note   hold.Note
}

func (e *UnholdableError) Error() string {
	return fmt.Sprintf("%s cannot be held: %s", e.Target, e.Note.What)
}

// LeftError: something did not come to be held, and could not be given back, either.
type LeftError struct {
	Object     string // as kubectl names it
	Cause, Err error  // of the first, and of the second
}

func (e *LeftError) Error() string {
	return fmt.Sprintf("%v; and %s is still held: %v", e.Cause, e.Object, e.Err)
}

// Unwrap gives both errors.
func (e *LeftError) Unwrap() []error { return []error{e.Cause, e.Err} }

// HoldOptions say how something is held.
type HoldOptions struct {
	Who string
	// Await says that the application does not start until Envoy is ready; of a copy alone.
	Await bool
	// Capture is the one whose connections the Envoy of a copy gets; nil for what the pod
	// says.
	Capture *hold.Owner
	// Session says that it is for one session, which gives it back.
	Session bool
	// For is how long a copy lives, and SameNode says that it is on its pod's node.
	For      time.Duration
	SameNode bool
	// Notes is told what is not as in the pod, before anything is made; Progress what it is
	// waited for.
	Notes    func([]hold.Note)
	Progress func(format string, args ...any)
}

// Copy makes a held copy of a pod and waits until its container is parked. If that does not
// come to pass, nothing is left, or it is a *LeftError. The errors are *UnholdableError,
// *RefusedError, *NotRunningError, or the API server's.
func (c *Cluster) Copy(ctx context.Context, s *Source, o HoldOptions) (*Sidecar, *Held, error) {
	base := s.Pod.Name
	options := hold.Options{Name: hold.NameOf(base, strings.ToLower(rand.Text()[:5])), For: o.For, Who: o.Who, Session: o.Session, Await: o.Await, Capture: o.Capture, Target: s.Target, Now: time.Now(),
		Claims: c.claims(ctx, s.Pod)}
	if o.SameNode {
		options.Node = s.Pod.Spec.NodeName
	}
	pod, notes := hold.Copy(s.Pod, s.Container, options)
	for _, n := range notes {
		if n.Stops {
			return nil, nil, &UnholdableError{s.Target, n}
		}
	}
	o.Notes(notes)
	o.Progress("making pod/%s", pod.Name)
	// A create that is cancelled may have succeeded.
	made, err := c.client.CoreV1().Pods(pod.Namespace).Create(context.WithoutCancel(ctx), pod, meta.CreateOptions{})
	if err != nil {
		if transient(err) { // nobody knows; the name is nobody else's
			undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
			defer cancel()
			_ = c.client.CoreV1().Pods(pod.Namespace).Delete(undo, pod.Name, meta.DeleteOptions{})
		}
		return nil, nil, refused(err)
	}
	sidecar, err := c.parked(ctx, made, s.Container, o.Progress)
	if err != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
		defer cancel()
		if left := ignoreGone(c.deletePod(undo, made)); left != nil {
			err = &LeftError{Object: "pod/" + made.Name, Cause: err, Err: left}
		}
		return nil, nil, err
	}
	return sidecar, heldPod(sidecar.pod), nil
}

// claims are the access modes of a pod's claims, as far as the user may look at them.
func (c *Cluster) claims(ctx context.Context, pod *core.Pod) map[string][]core.PersistentVolumeAccessMode {
	all := map[string][]core.PersistentVolumeAccessMode{}
	for _, v := range pod.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		if claim, err := c.client.CoreV1().PersistentVolumeClaims(pod.Namespace).Get(ctx, v.PersistentVolumeClaim.ClaimName, meta.GetOptions{}); err == nil {
			all[claim.Name] = claim.Spec.AccessModes
		}
	}
	return all
}

// parked waits until a pod's container runs.
func (c *Cluster) parked(ctx context.Context, made *core.Pod, container string, progress func(string, ...any)) (*Sidecar, error) {
	late := time.After(copyTime)
	for last := "the scheduler has not seen it"; ; {
		pod, err := c.client.CoreV1().Pods(made.Namespace).Get(ctx, made.Name, meta.GetOptions{})
		state, hopeless := "the API server does not answer", false
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil && !transient(err):
			return nil, err
		case err != nil:
		case pod.UID != made.UID:
			return nil, apierrors.NewNotFound(core.Resource("pods"), made.Name)
		default:
			if s, err := c.sidecar(pod, container); err == nil {
				return s, nil
			}
			if state, hopeless = startState(pod); hopeless {
				return nil, &NotRunningError{pod.Name, container, state}
			}
		}
		if state != last {
			last = state
			progress("pod/%s: %s", made.Name, state)
		}
		select {
		case <-ctx.Done():
		case <-late:
			return nil, &NotRunningError{made.Name, container, fmt.Sprintf("not within %v; %s", copyTime, last)}
		case <-time.After(pollTime):
		}
	}
}

// startState says what a pod that does not run waits for, and whether that is in vain.
func startState(pod *core.Pod) (state string, hopeless bool) {
	if pod.Status.Phase == core.PodFailed {
		return strings.TrimSpace("it has failed: " + pod.Status.Reason + " " + pod.Status.Message), true
	}
	for _, st := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		switch w := st.State.Waiting; {
		case st.State.Terminated != nil && st.State.Terminated.ExitCode != 0, st.LastTerminationState.Terminated != nil && st.LastTerminationState.Terminated.ExitCode != 0 && st.State.Running == nil:
			if containerOf(pod, st.Name) != nil && isInit(pod, st.Name) {
				return fmt.Sprintf("container %s: %s", st.Name, stateText(st.State)), true
			}
		case w == nil || slices.Contains([]string{"", "ContainerCreating", "PodInitializing"}, w.Reason):
		default:
			return fmt.Sprintf("container %s: %s", st.Name, stateText(st.State)), true
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == core.PodScheduled && condition.Status == core.ConditionFalse {
			return condition.Reason + ": " + condition.Message, false
		}
	}
	return "starting", false
}

func isInit(pod *core.Pod, name string) bool {
	return slices.ContainsFunc(pod.Spec.InitContainers, func(c core.Container) bool { return c.Name == name })
}

// deletePod deletes this very pod.
func (c *Cluster) deletePod(ctx context.Context, pod *core.Pod) error {
	return c.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, meta.DeleteOptions{Preconditions: &meta.Preconditions{UID: &pod.UID}})
}

// transient says of an error that it comes from a connection or an API server that may
// come back.
func transient(err error) bool {
	var status apierrors.APIStatus
	return !errors.As(err, &status) || apierrors.IsServiceUnavailable(err) || apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err)
}

// ignoreGone is err, unless it says that the object is not there any more, or is another.
func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}
