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
	// dropTime bounds the removal of a session's copy at its end.
	dropTime = 1500 * time.Millisecond
)

// holding is a container that the session holds first, where it starts Envoy by itself. It
// serves one session.
type holding struct {
	pod.Target
	cfg *config.Config

	// What the session has held, and the pod of it that it debugs; held is nil when it is
	// nothing.
	cluster *kube.Cluster
	held    *kube.Held
	parked  *kube.Sidecar
}

// Connect implements startup.Target.
func (h *holding) Connect(ctx context.Context, n startup.Notices) (startup.Beside, error) {
	sidecar, err := h.sidecar(ctx, n)
	if err != nil {
		return nil, err
	}
	h.Find = func(context.Context) (pod.Container, error) { return container{sidecar}, nil }
	h.Words = h.words()
	beside, err := h.Target.Connect(ctx, n)
	switch {
	case h.held == nil:
		return beside, err
	case err == nil:
		return &loan{Beside: beside, of: h, keep: h.cfg.HoldAtEnd == config.HoldKeep}, nil
	}
	if left := h.release(); left != nil {
		n.Say("%s\n", left)
	}
	return nil, err
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

// undo is the command that gives back what the session holds.
func (h *holding) undo() string {
	c := *h.cfg
	c.Target = h.held.String()
	return "envoydbg release " + c.Words()
}

// sidecar finds the container, and holds it first where that is needed and wanted.
func (h *holding) sidecar(ctx context.Context, n startup.Notices) (*kube.Sidecar, error) {
	cluster, err := clusterOf(h.cfg)
	if err != nil {
		return nil, err
	}
	target := h.cfg.Target
	if h.cfg.Hold == config.HoldNever {
		s, err := cluster.Find(ctx, target, h.cfg.Container)
		if err != nil {
			return nil, clusterFault(err, target, cluster.Namespace())
		}
		return s, nil
	}
	s, source, err := unheld(ctx, cluster, target, h.cfg.Container)
	if err != nil || source == nil {
		return s, err
	}
	options := kube.HoldOptions{Who: remote.WhoAmI(), For: holdTime, Progress: n.Progress,
		Notes: func(notes []hold.Note) {
			if len(notes) > 0 {
				n.Say("%s", noteLines(notes))
			}
		}}
	if h.cfg.Hold == config.HoldWorkload {
		n.Progress("holding %s", target)
		h.parked, h.held, err = cluster.HoldWorkload(ctx, target, h.cfg.Container, options)
	} else {
		n.Progress("holding a copy of %s", target)
		h.parked, h.held, err = cluster.Copy(ctx, source, options)
	}
	if err != nil {
		return nil, holdFault(err, target, cluster.Namespace())
	}
	h.cluster = cluster
	end := "at the session's end"
	if h.cfg.HoldAtEnd == config.HoldKeep {
		end = fmt.Sprintf("by \"%s\"", h.undo())
	}
	if h.cfg.Hold == config.HoldWorkload {
		n.Say("%s. %s is held, and its pods are made anew; pod/%s is debugged. It is given back %s.\n", source, h.held, h.parked.Pod, end)
	} else {
		n.Say("%s. A held copy is debugged, pod/%s; the workload is not touched. The copy is removed %s.\n", source, h.parked.Pod, end)
	}
	return h.parked, nil
}

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
	keep bool
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
	if l.keep {
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
