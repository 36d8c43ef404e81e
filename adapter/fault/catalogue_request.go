package fault

import (
	"fmt"
	"strings"
	"time"
)

// ED18xx: requests through a sidecar.

// NotThatUser: connections cannot be made as another user.
func NotThatUser(container string, err error) *Fault {
	return &Fault{Code: 1801, What: fmt.Sprintf("Nothing can be sent as another user from %s.", container), Evidence: []string{text(err)},
		Do: "Leave --run-as out: a command in a container has the container's user, and only where that is root may it become another one.", Cause: err}
}

// Parked: what the application sends goes to a port on which nothing listens.
func Parked(sidecar, address string, port int, err error) *Fault {
	return &Fault{Code: 1802, What: fmt.Sprintf("The sidecar is parked: nothing listens on port %d, where the pod's iptables send what the application sends.", port),
		Evidence: []string{"no Envoy and no agent run in " + sidecar, address + ": " + text(err)},
		Do:       "Start a debug session, or the agent alone with \"envoydbg agent start\", and send the request then.", Cause: err}
}

// NotListening: nothing listens for the application's connections, and nobody can see why.
func NotListening(sidecar, address string, port int, err error) *Fault {
	return &Fault{Code: 1803, What: fmt.Sprintf("Nothing listens on port %d, where the pod's iptables send what the application sends.", port),
		Evidence: []string{"whether an agent or Envoy runs in " + sidecar + " cannot be seen: it has no shell, and no helper is there", address + ": " + text(err)},
		Do:       "Start a debug session, or the agent alone with \"envoydbg agent start\", and send the request then.", Cause: err}
}

// NotConnected: the connection could not be made, and the sidecar is not why.
func NotConnected(address, from string, err error, why ...string) *Fault {
	return &Fault{Code: 1804, Command: "kubectl get service,endpoints", What: fmt.Sprintf("There is no connection to %s from %s.", address, from), Evidence: append([]string{text(err)}, why...),
		Do: "Look at the host and the port of the URL, and whether \"kubectl get service,endpoints\" shows them.", Cause: err}
}

// NoResponse: the connection ended, or was cut, before there was a response.
func NoResponse(url string, err error, path ...string) *Fault {
	return &Fault{Code: 1805, What: fmt.Sprintf("No response to the request to %s has come.", url), Evidence: append([]string{text(err)}, path...),
		Do: "\"envoydbg logs\" shows what Envoy has written, if this product started it; \"kubectl logs\" otherwise.", Cause: err}
}

// RequestTimeout: no response came in time.
func RequestTimeout(url string, after time.Duration, path ...string) *Fault {
	return &Fault{Code: 1806, What: fmt.Sprintf("No response to the request to %s has come within %v, not counting the time in which Envoy was stopped.", url, after), Evidence: path,
		Do: "Look in a debug session where Envoy is. At the command line --timeout waits longer."}
}

// PastEnvoy: the response came, and Envoy had nothing to do with it.
func PastEnvoy(n, of int, why []string) *Fault {
	return &Fault{Code: 1807, What: "Not every response came through the sidecar's Envoy.", Evidence: append([]string{fmt.Sprintf("%d of %d did not", n, of)}, why...),
		Do: "Send to a Service or another pod, as a user whose connections are redirected; a breakpoint is not hit otherwise."}
}

// NoForwarding: the connection to the container was lost.
func NoForwarding(container string) *Fault {
	return &Fault{Code: 1808, Command: "kubectl get pods", What: fmt.Sprintf("The connection to %s was lost while a request was under way.", container),
		Do: "Look whether the pod is still there with \"kubectl get pods\", and send the request again."}
}

// SomeRequests: not all of several requests have got a response.
func SomeRequests(failed, of int, why []string) *Fault {
	return &Fault{Code: 1809, What: fmt.Sprintf("%d of %d requests have got no response.", failed, of), Evidence: []string{strings.Join(why, "\n")},
		Do: "Send one of them alone to see more of it."}
}
