package stories_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// budget lets nobody evict the workload's only pod.
const budget = `
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: fortio}
spec: {minAvailable: 1, selector: {matchLabels: {app: fortio}}}
`

// A PodDisruptionBudget does not count the copy, and the labels by which a NetworkPolicy
// chooses the workload's pods do not choose it; its own label does.
func TestWhatChoosesPodsByLabelsDoesNotChooseTheCopy(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	c.ApplyIn(namespace, budget)
	p := productOf(t, c, "22")
	held := p.hold(namespace, "statefulset/fortio")
	// What the controller says of the second generation it has counted with the copy there.
	c.ApplyIn(namespace, strings.Replace(budget, "minAvailable: 1", "minAvailable: 2", 1))
	c.Kubectl("wait", "pdb/fortio", "-n", namespace, "--for=jsonpath={.status.observedGeneration}=2", "--timeout="+cluster.Limit.String())
	if got := c.Kubectl("get", "pdb/fortio", "-n", namespace, "-o", "jsonpath={.status.expectedPods} {.status.currentHealthy} {.status.desiredHealthy}"); got != "1 1 2" {
		t.Errorf("pods, healthy, wanted: %s", got)
	}
	chosen := func(selector string) []string {
		return strings.Fields(c.Kubectl("get", "pods", "-n", namespace, "-l", selector, "-o", "name"))
	}
	if got := chosen("app=fortio"); !slices.Equal(got, []string{"pod/fortio-0"}) {
		t.Errorf("the workload's labels choose %q", got)
	}
	if got := chosen("envoydbg.dev/hold=copy"); !slices.Equal(got, []string{held}) {
		t.Errorf("the copy's label chooses %q", got)
	}
	p.start("release", held, "-n", namespace).ends(0, "released")
	unchanged(t, c, namespace, before)
}
