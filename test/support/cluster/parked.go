package cluster

import (
	"regexp"
	"strings"
	"time"
)

var zombie = regexp.MustCompile(`(?m)^Z.*\n?`)

// Parked checks that nothing runs in a sidecar but what parks it.
func (c *Cluster) Parked(namespace, pod string) {
	c.tb.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		out := c.Kubectl("exec", "-n", namespace, pod, "-c", "istio-proxy", "--", "ps", "-e", "-o", "stat=,args=")
		// The process that parks the sidecar waits for no child: what has ended stays a
		// zombie.
		out = zombie.ReplaceAllString(out, "")
		left := strings.Contains(out, "envoy") || strings.Contains(out, "lldb") || strings.Contains(out, "proxy sidecar")
		if !left {
			return
		}
		if time.Now().After(deadline) {
			c.tb.Errorf("left in the pod:\n%s", out)
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}
