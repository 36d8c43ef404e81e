package stories_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// standTime is well beyond the deadlines of the probes of unprepared, which the kubelet asks
// each second and gives up after the third time, and of Istio's for a sidecar that starts.
const standTime = 15 * time.Second

// Nobody restarts an Envoy that stands at a breakpoint, nor the application beside it.
func TestAnEnvoyMayStandLongerThanProbesWait(t *testing.T) {
	c := cluster.Of(t)
	for name, sidecar := range map[string]string{"native": nativeSidecar, "classic": classicSidecar} {
		t.Run(name, func(t *testing.T) {
			namespace := unpreparedStatefulSet(c, sidecar)
			before := contents(t, c, namespace)
			for _, hold := range []string{"copy", "workload"} {
				t.Run(hold, func(t *testing.T) {
					p := productOf(t, c, "22")
					s := p.typed(func(in *os.File) *session { return p.debugFrom(in, namespace, "statefulset/fortio", "--hold="+hold) })
					s.until("● stopped at main")
					time.Sleep(standTime) // what would happen takes time
					restarts := c.Kubectl("get", "pods", "-n", namespace, "-l", "envoydbg.dev/hold", "-o",
						"jsonpath={.items[*].status.initContainerStatuses[*].restartCount} {.items[*].status.containerStatuses[*].restartCount}")
					if strings.Trim(restarts, "0 \n") != "" || !strings.Contains(restarts, "0") {
						t.Errorf("the containers have been restarted: %q", restarts)
					}
					s.say("next")
					s.until("main_common.cc:20")
					s.say("quit")
					s.ends(0, "nothing is left running")
					if hold == "copy" { // the workload's own pods are made anew
						unchanged(t, c, namespace, before)
					}
				})
			}
		})
	}
}
