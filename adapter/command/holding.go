package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/pod"
	"github.com/envoydbg/envoydbg/adapter/remote"
	"github.com/envoydbg/envoydbg/adapter/startup"
	"github.com/envoydbg/envoydbg/kube"
	"github.com/envoydbg/envoydbg/kube/hold"
)

const (
	// holdTime is how long a copy lives unless the user says otherwise: a working day.
	holdTime = 8 * time.Hour
	// maxCopies bounds the copies that other sessions take from one that begins.
	maxCopies = 3
	// dropTime bounds the removal of a session's copy at its end.
	dropTime = 1500 * time.Millisecond
)

// holding is a container that the session holds first, where it starts Envoy by itself. It
// serves one session.
type holding struct {
	pod.Target
	cfg *config.Config

	// What the session gives back at its end, and the pod that it debugs where it is not the
	// one that the user has named; held is nil when it is nothing.
	cluster *kube.Cluster
	held    *kube.Held
	parked  *kube.Sidecar
	again   bool // the session begins once more, in the same pod
}

// Connect implements startup.Target.
func (h *holding) Connect(ctx context.Context, n startup.Notices) (startup.Beside, error) {
	if n.Called != nil {
		ctx = kube.WithObserver(ctx, func(r kube.Request) {
			n.Called("cluster", fmt.Sprintf("%s %s %d", r.Method, r.Path, r.Status), r.Took, r.Err)
		})
	}
	var err error
	if h.cluster, err = clusterOf(h.cfg); err != nil {
		return nil, err
	}
	target := h.cfg.Target
	if h.cfg.Hold == config.HoldNever {
		s, err := h.cluster.Find(ctx, target, h.cfg.Container)
		if err != nil {
			return nil, clusterFault(err, target, h.cluster.Namespace())
		}
		return h.enter(ctx, n, s)
	}
	s, source, err := unheld(ctx, h.cluster, target, h.cfg.Container)
	if err != nil {
		return nil, err
	}
	if source == nil {
		if h.cfg.Capture != config.CaptureAll && (s.Held == nil || !fits(s.Held, h.cfg.Capture)) {
			n.Say("%s has no effect: %s waits already, and is debugged as it is.\n", fault.Name("capture"), s)
		}
		h.takeWorkload(ctx, s)
		return h.enter(ctx, n, s)
	}
	if h.cfg.Hold != config.HoldWorkload {
		if beside, err := h.reenter(ctx, n, source); beside != nil || err != nil {
			return beside, err
		}
	}
	for try := 1; ; try++ {
		if err := h.hold(ctx, n, source); err != nil {
			return nil, err
		}
		beside, err := h.enter(ctx, n, h.parked)
		if err == nil {
			return beside, nil
		}
		if fault.IsSessionTaken(err) && h.cfg.Hold != config.HoldWorkload && try < maxCopies {
			continue // another session of the user's has found the copy first, and gives it back
		}
		if left := h.release(); left != nil {
			n.Say("%s\n", left)
		}
		return nil, err
	}
}

// enter connects to the helper in a container.
func (h *holding) enter(ctx context.Context, n startup.Notices, s *kube.Sidecar) (startup.Beside, error) {
	h.Target = pod.Target{Check: h.Check, DebugImage: h.DebugImage, Words: h.words(),
		Find: func(context.Context) (pod.Container, error) { return container{s}, nil }}
	beside, err := h.Target.Connect(ctx, n)
	if err != nil || h.held == nil {
		return beside, err
	}
	return &loan{Beside: beside, of: h}, nil
}

// reenter connects to a copy that the user holds of the target already, and that no session
// uses; to none, when there is none. One that an earlier session has made for itself, which
// has begun again or was killed, is this session's from now on.
func (h *holding) reenter(ctx context.Context, n startup.Notices, source *kube.Source) (startup.Beside, error) {
	for _, held := range copiesFor(ctx, h.cluster, h.cfg, source) {
		s, err := h.cluster.Parked(held)
		if err != nil {
			continue
		}
		h.parked, h.held = s, nil
		if held.Record.Session {
			h.held = held
		}
		beside, err := h.enter(ctx, n, s)
		if err == nil {
			n.Say("%s. pod/%s is debugged, a copy that you hold already. It is removed %s.\n", source, s.Pod, h.end())
			return beside, nil
		}
		h.parked, h.held = nil, nil
		if ctx.Err() != nil {
			return nil, err
		}
		// It is in use, or not fit for it. A new copy says why, if that is so with each.
	}
	return nil, ctx.Err()
}

// copiesFor are the copies of a session's target that its user holds already, and that are as
// the session wants one. Who may not list copies has none.
func copiesFor(ctx context.Context, cluster *kube.Cluster, c *config.Config, source *kube.Source) (all []*kube.Held) {
	held, err := cluster.HeldOf(ctx, c.Target)
	if err != nil {
		return nil
	}
	for _, x := range held {
		s, err := cluster.Parked(x)
		if err == nil && x.State == kube.StateHeld && x.Record.Who == remote.WhoAmI() && s.Container == source.Container && fits(x.Record, c.Capture) {
			all = append(all, x)
		}
	}
	return all
}

// fits says whether a copy captures what is wanted of one.
func fits(r *hold.Record, capture string) bool {
	wanted := ""
	if o := ownerOf(capture); o != nil {
		wanted = o.String()
	}
	return r.Capture == wanted
}

// takeWorkload makes a workload that an earlier session has held for itself this session's,
// where the user has named the workload: then it has one pod, and no other session is in it.
func (h *holding) takeWorkload(ctx context.Context, s *kube.Sidecar) {
	if s.Held == nil || !s.Held.Session || s.Held.Who != remote.WhoAmI() {
		return
	}
	all, err := h.cluster.HeldOf(ctx, h.cfg.Target)
	if err != nil {
		return // it stays held, as "envoydbg status" shows
	}
	for _, held := range all {
		if held.Kind != "pod" && held.Record != nil && held.Record.Session {
			h.held, h.parked = held, s
		}
	}
}

// end says what gives back what the session debugs.
func (h *holding) end() string {
	if h.held == nil || h.cfg.HoldAtEnd == config.HoldKeep {
		return fmt.Sprintf("by \"%s\"", h.undo())
	}
	return "at the session's end"
}

// Where implements startup.Target.
func (h *holding) Where() startup.Where {
	w := startup.Where{Words: h.words()}
	if h.held != nil {
		w.Release = h.undo()
	}
	return w
}

// words name the pod that the session debugs as a command line does.
func (h *holding) words() string {
	c := *h.cfg
	if h.parked != nil {
		c.Target = "pod/" + h.parked.Pod
	}
	return c.Words()
}

// undo is the command that gives back what the session debugs.
func (h *holding) undo() string {
	c := *h.cfg
	c.Target = "pod/" + h.parked.Pod
	if h.held != nil {
		c.Target = h.held.String()
	}
	return "envoydbg release " + c.Words()
}

// hold holds a copy or the workload.
func (h *holding) hold(ctx context.Context, n startup.Notices, source *kube.Source) (err error) {
	target := h.cfg.Target
	options := kube.HoldOptions{Who: remote.WhoAmI(), Session: h.cfg.HoldAtEnd != config.HoldKeep, Await: h.cfg.Application == config.ApplicationWait, Capture: ownerOf(h.cfg.Capture), For: holdTime, Progress: n.Progress,
		Notes: func(notes []hold.Note) {
			if len(notes) > 0 {
				n.Say("%s", noteLines(notes))
			}
		}}
	if h.cfg.Hold == config.HoldWorkload {
		n.Progress("holding %s", target)
		h.parked, h.held, err = h.cluster.HoldWorkload(ctx, target, h.cfg.Container, options)
	} else {
		n.Progress("holding a copy of %s", target)
		h.parked, h.held, err = h.cluster.Copy(ctx, source, options)
	}
	if err != nil {
		return holdFault(err, target, h.cluster.Namespace())
	}
	if h.cfg.Hold == config.HoldWorkload {
		n.Say("%s. %s is held, and its pods are made anew; pod/%s is debugged. It is given back %s.\n", source, h.held, h.parked.Pod, h.end())
	} else {
		n.Say("%s. A held copy is debugged, pod/%s; the workload is not touched. The copy is removed %s.\n", source, h.parked.Pod, h.end())
	}
	return nil
}

// Keep implements startup.Holder.
func (h *holding) Keep() { h.again = true }

// release gives back what the session holds. It does not wait for the end of pods.
func (h *holding) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), dropTime)
	defer cancel()
	if err := h.cluster.Drop(ctx, h.held); err != nil {
		return fault.HoldLeft(h.held.String(), h.undo(), err)
	}
	return nil
}

// loan is the helper in what the session holds.
type loan struct {
	startup.Beside
	of   *holding
	keep bool // something runs on in it
}

// Release implements startup.Beside: what runs on needs its pod.
func (l *loan) Release(ctx context.Context) (helper.ReleaseResult, error) {
	r, err := l.Beside.Release(ctx)
	l.keep = l.keep || err == nil
	return r, err
}

// Close implements startup.Beside.
func (l *loan) Close() error {
	err := l.Beside.Close()
	if l.keep || l.of.again || l.of.cfg.HoldAtEnd == config.HoldKeep {
		return err
	}
	return errors.Join(err, l.of.release())
}

// unheld finds a target, and, where its container starts Envoy by itself, what it can be
// held from, which is else nil. Then there may be no container that runs.
func unheld(ctx context.Context, cluster *kube.Cluster, target, name string) (*kube.Sidecar, *kube.Source, error) {
	var (
		many   *kube.AmbiguousError
		paused *kube.NotRunningError
	)
	s, err := cluster.Find(ctx, target, name)
	switch {
	case err == nil && !s.StartsEnvoy():
		return s, nil, nil
	case err == nil, errors.As(err, &many), errors.As(err, &paused), errors.Is(err, kube.ErrNotFound):
	default:
		return nil, nil, clusterFault(err, target, cluster.Namespace())
	}
	source, wrong := cluster.Source(ctx, target, name)
	switch {
	case wrong != nil:
		return nil, nil, holdFault(wrong, target, cluster.Namespace())
	case source.StartsEnvoy():
		return s, source, nil
	case err != nil:
		return nil, nil, clusterFault(err, target, cluster.Namespace())
	}
	return s, nil, nil
}

// holdFault says for the user why a target could not be held.
func holdFault(err error, target, namespace string) error {
	var (
		refused    *kube.RefusedError
		unholdable *kube.UnholdableError
		broken     *kube.NotRunningError
		taken      *kube.TakenError
		left       *kube.LeftError
	)
	switch {
	case errors.As(err, &left):
		return fault.HoldLeft(left.Object, fmt.Sprintf("envoydbg release %s -n %s", left.Object, namespace), left.Err)
	case errors.As(err, &taken) && taken.Record != nil:
		return fault.HeldAlready(taken.Target, taken.Record.Who, taken.Record.Since)
	case errors.As(err, &taken):
		return fault.HeldAlready(taken.Target, "somebody whose record was changed", time.Time{})
	case errors.As(err, &refused):
		return fault.HoldRefused(target, refused)
	case errors.As(err, &unholdable):
		return fault.CannotHold(target, unholdable.Note.What, unholdable.Note.Why, unholdable.Note.Fix)
	case errors.As(err, &broken):
		return fault.HoldNotStarted(target, broken.State)
	case errors.Is(err, context.Canceled):
		return err
	}
	return clusterFault(err, target, namespace)
}

// noteLines are notes for the user, a line each.
func noteLines(notes []hold.Note) string {
	var b strings.Builder
	for _, n := range notes {
		fmt.Fprintf(&b, "note: %s: %s", n.What, n.Why)
		if n.Fix != "" {
			fmt.Fprintf(&b, "; %s", n.Fix)
		}
		b.WriteString("\n")
	}
	return b.String()
}
