package stories_test

import (
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// In a copy that captures one user or one group, what that one sends goes through Envoy, and
// what everybody else sends goes past it, as the pod's table of sockets shows. Nothing in the
// copy has more privileges than Istio's init container.
func TestACopyCapturesOneOwnerAlone(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	p.start("hold", "statefulset/fortio", "-n", namespace, "--capture", "user 5").ends(2, `--capture is "user 5"`)
	p.start("hold", "statefulset/fortio", "-n", namespace, "--workload", "--capture", "uid 5").ends(2, "--capture is about a copy")
	for _, x := range []struct{ capture, is, inside, outside string }{
		{"uid 1000", "uid 1000", "1000:2000", "2000:1000"},
		{"gid:1000", "gid 1000", "2000:1000", "1000:2000"},
	} {
		t.Run(x.is, func(t *testing.T) {
			held := p.hold(namespace, "statefulset/fortio", "--capture", x.capture)
			name := strings.TrimPrefix(held, "pod/")
			send := func(more ...string) *session {
				return p.start(append([]string{"request", held, "http://fortio:8080/", "-n", namespace, withShell}, more...)...)
			}
			p.start("agent", "start", held, "-n", namespace).ends(0, "agent started")
			waitConfigured(c, namespace, name)
			send("--run-as", x.inside).ends(0, "200 OK", "✓ Envoy has handled it", "redirected to 127.0.0.1:15001")
			send("--run-as", x.outside).ends(1, "200 OK", "1 of 1 did not", "capture: "+x.is, "[ED1807]")
			send().ends(1, "200 OK", "1 of 1 did not", "capture: "+x.is, "[ED1807]")
			p.start("release", held, "-n", namespace).ends(0)
		})
	}
	unchanged(t, c, namespace, before)
}
