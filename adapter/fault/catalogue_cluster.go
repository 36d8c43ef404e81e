package fault

import (
	"fmt"
	"strings"
)

// ED16xx: clusters.

// NoCluster: the kubeconfig or a flag for it is not right.
func NoCluster(err error) *Fault {
	return &Fault{Code: 1601, Command: "kubectl get pods", What: "There is no way to the cluster.", Evidence: []string{text(err)},
		Do: "Try \"kubectl get pods\" with the same kubeconfig and flags.", Cause: err}
}

// NoPod: the target leads to no pod.
func NoPod(target, namespace, why string) *Fault {
	return &Fault{Code: 1602, Attribute: "target", What: fmt.Sprintf("There is no pod for %s in the namespace %q.", target, namespace), Evidence: []string{plain(why)},
		Do: fmt.Sprintf("Set %s to a pod or workload that \"kubectl get\" shows, and %s to where it is.", Name("target"), Name("namespace"))}
}

// ManyPods: the target leads to more than one pod.
func ManyPods(target string, pods []string) *Fault {
	return &Fault{Code: 1603, Attribute: "target", What: fmt.Sprintf("%s has %d pods.", target, len(pods)), Evidence: pods,
		Do: fmt.Sprintf("Set %s to one of them.", Name("target"))}
}

// NoContainer: the pod has no such container, or it does not run.
func NoContainer(what string) *Fault {
	return &Fault{Code: 1604, Attribute: "container", What: fmt.Sprintf("The container cannot be debugged: %s.", what),
		Do: fmt.Sprintf("Set %s to the one with Envoy in it, or wait until it runs.", Name("container"))}
}

// Forbidden: the user may not do what is needed.
func Forbidden(what string) *Fault {
	return &Fault{Code: 1605, What: "The cluster does not permit what is needed.", Evidence: []string{what},
		Do: "docs/security.md has the Role that a user of envoydbg needs."}
}

// Exec: a command could not be run in the container.
func Exec(container string, err error) *Fault {
	return &Fault{Code: 1606, What: fmt.Sprintf("No command can be run in %s.", container), Evidence: []string{text(err)},
		Do: "Try \"kubectl exec\" with \"sh -c true\" there.", Cause: err}
}

// NoPlace: nowhere in the container can the helper be put.
func NoPlace(container string, places, why []string) *Fault {
	evidence := why
	if len(evidence) == 0 {
		evidence = []string{"none of these can be written to: " + strings.Join(places, ", ")}
	}
	return &Fault{Code: 1607, What: fmt.Sprintf("There is no folder for the helper in %s.", container), Evidence: evidence,
		Do: "Mount an emptyDir on disk there, as Istio does at /var/lib/istio/data."}
}

// Upload: something could not be brought into the container.
func Upload(what, container string, err error) *Fault {
	return &Fault{Code: 1608, What: fmt.Sprintf("%s could not be brought into %s.", upperFirst(what), container), Evidence: []string{text(err)},
		Do: "Look at the free space and the memory limit of the container, and start the session again.", Cause: err}
}

// NoSession: there is no session whose output could be shown.
func NoSession(container string, err error) *Fault {
	return &Fault{Code: 1609, What: fmt.Sprintf("There is no output of a session in %s.", container), Evidence: []string{text(err)},
		Do: "Start one with \"envoydbg run\"; its output goes with it.", Cause: err}
}

// InUse: what is to be removed belongs to a session that is there.
func InUse(dir string) *Fault {
	return &Fault{Code: 1610, What: "A session uses what is to be removed.", Evidence: []string{dir},
		Do: "End the session first; \"envoydbg logs\" shows whether it is yours."}
}

// NoShell: the container has no shell, and no image is named that has one.
func NoShell(container, image string) *Fault {
	return &Fault{Code: 1611, Attribute: "debugImage", What: fmt.Sprintf("There is no shell in %s.", container),
		Do: fmt.Sprintf("Set %s to an image with a shell, for example %s: an ephemeral container of it carries the helper in.",
			Name("debugImage"), Assign("debugImage", `"`+image+`"`))}
}

// ImageRefused: the cluster does not take the ephemeral container.
func ImageRefused(image, container string, err error) *Fault {
	return &Fault{Code: 1612, Attribute: "debugImage", What: fmt.Sprintf("The cluster refuses an ephemeral container of the image %s beside %s.", image, container),
		Evidence: []string{text(err)}, Do: "Name an image that the namespace admits, or debug a pod whose sidecar has a shell.", Cause: err}
}

// ImageNotStarted: the ephemeral container does not start.
func ImageNotStarted(image, container, state string) *Fault {
	return &Fault{Code: 1613, Attribute: "debugImage", What: fmt.Sprintf("The ephemeral container of the image %s beside %s does not start.", image, container),
		Evidence: []string{plain(state)}, Do: fmt.Sprintf("Set %s to an image that the node has or can pull, and that has a shell.", Name("debugImage"))}
}

// NotCarried: what the ephemeral container has stored is not in the container.
func NotCarried(container, dir string) *Fault {
	return &Fault{Code: 1614, What: fmt.Sprintf("The helper was stored in %s by an ephemeral container, but cannot be run in %s.", dir, container),
		Do: "Mount an emptyDir on disk there, as Istio does at /var/lib/istio/data."}
}

// ServerMachine: the lldb-server to bring is for another machine than the container's.
func ServerMachine(server, machine, container, node string) *Fault {
	return &Fault{Code: 1615, Attribute: "lldbServer", What: fmt.Sprintf("%s is for %s, but the node of %s is %s.", server, machine, container, node),
		Do: fmt.Sprintf("Set %s to an image for %s that has lldb-server, and %s to where it is there.", Name("debugImage"), node, Assign("lldbServer", `"image:/usr/bin/lldb-server"`))}
}

// ServerVersion: the lldb-server to bring is of another version than lldb-dap.
func ServerVersion(server, version, dap, name string) *Fault {
	return &Fault{Code: 1616, Attribute: "lldbServer", What: fmt.Sprintf("%s is version %s, but lldb-dap is %s.", server, version, dap),
		Do: fmt.Sprintf("Install %s, or set %s to an lldb-server of that version.", name, Name("lldbServer"))}
}
