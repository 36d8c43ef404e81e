package command

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/pod"
	"github.com/envoydbg/envoydbg/kube"
)

// memoryNeeded is what the agent (60 MB), Envoy (60 MB) and lldb-server (130 MB) take
// until Envoy has its configuration.
const memoryNeeded = 250_000_000

func asFault(err error, f **fault.Fault) bool { return errors.As(err, f) }

func podFound(s *kube.Sidecar) kube.Finding {
	kind := "container"
	if s.Native {
		kind = "native sidecar"
	}
	return kube.Finding{Check: "pod", State: kube.OK, What: fmt.Sprintf("%s on node %s; %s %s runs", s.Pod, s.Node, kind, s.Container)}
}

// toBeHeld is the finding of a sidecar whose Envoy starts without a session.
func toBeHeld(s *kube.Source) kube.Finding {
	return kube.Finding{Check: "held", State: kube.OK, What: s.String() + "; a session makes a held copy of the pod, and debugs that"}
}

// noShell are the findings of a container that cannot be looked at from within.
func (e *examination) noShell(s *kube.Sidecar, err error) []kube.Finding {
	f := kube.Finding{Check: "shell", State: kube.Failed, What: "no command can be run: " + err.Error(),
		Why: "the helper is placed by one", Fix: fmt.Sprintf("kubectl exec -n %s %s -c %s -- sh -c true", s.Namespace, s.Pod, s.Container)}
	switch {
	case !s.NoProgram(err):
	case e.flags.debugImage == "":
		f = failure(f.Check, fault.NoShell(s.String(), strings.TrimSuffix(s.Image, "-distroless")))
	default:
		f.State, f.What, f.Fix = kube.Warning, "the image has none; an ephemeral container of "+e.flags.debugImage+" carries the helper in", ""
		f.Why = "an ephemeral container stays in the pod's list until the pod is deleted, and doctor cannot look into the container without one"
	}
	return []kube.Finding{f}
}

// runsWith says whether a process has a word among its arguments. What has ended and is
// not reaped has none.
func runsWith(r *kube.Room) func(pid int, word string) bool {
	return func(pid int, word string) bool {
		for _, p := range r.Processes {
			if p.PID == strconv.Itoa(pid) {
				return strings.Contains(p.Words, word)
			}
		}
		return false
	}
}

// sessionThere is the finding of who has the session of the container.
func sessionThere(s *kube.Sidecar, owner *pod.Owner, err error) kube.Finding {
	f := kube.Finding{Check: "session", State: kube.OK, What: "nobody debugs this Envoy"}
	switch {
	case err != nil:
		f.State, f.What, f.Why = kube.Unknown, err.Error(), "only one session at a time is possible"
	case left(owner):
		f.State, f.Why, f.Fix = kube.Failed, "only one agent at a time is possible", endLeft(s)
		f.What = fmt.Sprintf("%s has left an agent that was started at %s", owner.Who, owner.Since.Local().Format(time.DateTime))
	case owner != nil:
		f = failure(f.Check, fault.SessionTaken("the container", owner.Who, owner.Since))
		f.What = fmt.Sprintf("%s has debugged this Envoy since %s", owner.Who, owner.Since.Local().Format(time.DateTime))
	}
	return f
}

// left says that the session of this owner is over, and its agent is still there.
func left(owner *pod.Owner) bool {
	return owner != nil && (owner.State == helper.StateRunning || owner.State == helper.StateStopped)
}

// endLeft is the command that ends what was left.
func endLeft(s *kube.Sidecar) string {
	return fmt.Sprintf("envoydbg agent stop pod/%s -n %s -c %s", s.Pod, s.Namespace, s.Container)
}

// envoyThere is the finding of whether the container is held, or its Envoy has started.
func envoyThere(s *kube.Sidecar, r *kube.Room, owner *pod.Owner, name string) kube.Finding {
	f := kube.Finding{Check: "Envoy", State: kube.OK}
	agent := ""
	for _, p := range r.Processes {
		switch {
		case p.Words == "": // it has ended
		case p.Name == name[:min(len(name), 15)] || p.Name == "envoy":
			f.State, f.What = kube.Failed, fmt.Sprintf("it runs already (%s, pid %s)", p.Name, p.PID)
			f.Why, f.Fix = "its start is over, and a second one cannot have the ports of the first", fmt.Sprintf("debug a held copy: envoydbg hold pod/%s -n %s", s.Pod, s.Namespace)
			switch {
			case left(owner):
				f.Why, f.Fix = "a session has left it", endLeft(s)
			case owner != nil:
				f.Why, f.Fix = "it belongs to the session that is there", "wait until that session has ended"
			}
			return f
		case strings.Contains(p.Words, "pilot-agent") && strings.Contains(p.Words, "proxysidecar"):
			agent = p.PID
		}
	}
	f.What = "it has not started"
	switch command := strings.Join(s.Command, " "); {
	case agent != "" && owner == nil:
		f.State, f.What = kube.Warning, fmt.Sprintf("it has not started, but an agent runs (pid %s)", agent)
		f.Why, f.Fix = "the session starts an agent of its own, and the two disturb each other", fmt.Sprintf("kubectl exec -n %s %s -c %s -- kill %s", s.Namespace, s.Pod, s.Container, agent)
	case s.Held != nil:
		f.What += "; the container is held by envoydbg for " + s.Held.Who
	case command != "":
		f.What += "; the container is held by " + shorten(command, 60)
	}
	return f
}

func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}

// architecture is Go's name of what `uname -m` tells.
func architecture(machine string) string {
	switch machine {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return machine
}

// nodeFits is the finding of the node's machine: the helper must be there for it, and the
// lldb-server that is brought.
func nodeFits(r *kube.Room, here debuggers) kube.Finding {
	arch := architecture(r.Machine)
	f := kube.Finding{Check: "node", State: kube.OK, What: arch + "; helper and lldb-server fit"}
	if _, err := helper.FindBinary("", arch); err != nil {
		return failure(f.Check, fault.NoHelper("envoydbg-helper-linux-"+arch, err))
	}
	if here.server == "" {
		f.What = arch + "; the helper fits"
	} else if arch != runtime.GOARCH {
		return failure(f.Check, fault.ServerMachine(here.server, runtime.GOARCH, "the container", arch))
	}
	return f
}
