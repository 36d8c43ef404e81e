package stories_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// ofNode is a shell of root's on the node: in its own network and with its processes.
const ofNode = `
apiVersion: v1
kind: Pod
metadata:
  name: of-node
  labels: {sidecar.istio.io/inject: "false"}
spec:
  hostNetwork: true
  hostPID: true
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: "envoydbg.test/proxyv2:1"
      command: [sleep, "3600"]
      securityContext: {privileged: true, runAsUser: 0}
`

// node is where somebody starts an lldb-server by hand.
type node struct {
	t         *testing.T
	c         *cluster.Cluster
	namespace string
}

// nodeOf is the node of the demo's pods.
func nodeOf(t *testing.T, c *cluster.Cluster) *node {
	n := &node{t, c, c.Namespace()}
	c.ApplyIn(n.namespace, ofNode)
	c.WaitReady(n.namespace, "pod/of-node")
	return n
}

// run runs a script as root.
func (n *node) run(script string, args ...string) string {
	n.t.Helper()
	return n.c.Kubectl(append([]string{"exec", "-n", n.namespace, "of-node", "--", "sh", "-ec", script, "sh"}, args...)...)
}

// sidecarProcess is the process id on the node of what parks a pod's sidecar.
func (n *node) sidecarProcess(namespace, pod string) string {
	n.t.Helper()
	pid := strings.TrimSpace(n.run(`for p in /proc/[0-9]*; do
		if tr '\0' '\n' <$p/environ 2>/dev/null | grep -qx "POD_NAMESPACE=$1" && tr '\0' '\n' <$p/environ | grep -qx "POD_NAME=$2"; then
			basename $p; exit
		fi
	done`, namespace, pod))
	if pid == "" {
		n.t.Fatalf("the node has no process of %s/%s", namespace, pod)
	}
	return pid
}

// byHand starts an lldb-server with the words before it, in the way that the docs name. It
// is ended with the test.
func (n *node) byHand(port int, words ...string) {
	n.t.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", port)
	words = append(words, "platform", "--server", "--listen", address)
	n.run(`port=$1; shift; setsid "$@" </dev/null >/tmp/by-hand.log 2>&1 & echo $! >/tmp/by-hand-$port`, append([]string{strconv.Itoa(port)}, words...)...)
	n.t.Cleanup(func() {
		n.run(`kill -- -$(cat /tmp/by-hand-$1)`, strconv.Itoa(port))
	})
}

// theirs are the lldb-servers on the node.
func (n *node) theirs() (platforms, debugServers []string) {
	n.t.Helper()
	for line := range strings.Lines(n.run(`ps -e -o stat=,args=`)) {
		switch {
		case strings.HasPrefix(line, "Z"):
		case regexp.MustCompile(`lldb-server\S* gdbserver`).MatchString(line):
			debugServers = append(debugServers, line)
		case regexp.MustCompile(`lldb-server\S* platform`).MatchString(line):
			platforms = append(platforms, line)
		}
	}
	return platforms, debugServers
}

// alone waits until the lldb-server has nothing but itself.
func (n *node) alone() {
	n.t.Helper()
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		platforms, debugServers := n.theirs()
		if len(platforms) > 0 && len(debugServers) == 0 {
			return
		}
		if time.Now().After(late) {
			n.t.Fatalf("after the session: platforms %q, debug servers %q", platforms, debugServers)
		}
	}
}

// An lldb-server that root has started on the node, in the namespaces of the container,
// debugs an Envoy of user 1337. It stays; what it has started for the session does not.
func TestByHandServer(t *testing.T) {
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			c := cluster.Of(t)
			namespace, n := c.Demo(), nodeOf(t, c)
			p := productOf(t, c, lldb)
			// It leaves its lldb-server in the container.
			p.debug(namespace, "pod/"+victim, "-x", "quit").ends(0, "✓ attached", "nothing is left running")
			pid := n.sidecarProcess(namespace, victim)
			server := strings.TrimSpace(n.run(`ls /proc/$1/root/var/lib/istio/data/.envoydbg/lldb-server-*/lldb-server | head -1`, pid))
			_, inside, _ := strings.Cut(server, "/root")
			n.byHand(2159, "nsenter", "--target", pid, "--pid", "--net", "--mount", "--", inside)
			n.waits(pid, 2159)
			s := p.debug(namespace, "pod/"+victim, "--debug-server", "connect://127.0.0.1:2159", "-x", "bt", "-x", "next", "-x", "continue",
				"-x", "await starting main dispatch loop", "-x", "quit")
			s.ends(0, "✓ debug server", "lldb-server "+lldb+".", "started by hand at 127.0.0.1:2159", "✓ armed", "✓ attached", "before its first instruction", "● stopped at main",
				"Envoy::MainCommon::main", "● stopped: step over", "starting main dispatch loop", "nothing is left running")
			n.alone()

			// It ends while the debugger waits, and with Envoy stopped.
			s = p.typing(namespace, "--debug-server", "connect://127.0.0.1:2159", "--start", "manual").session
			s.until("✓ armed")
			if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			s.ends(130, "nothing is left running")
			n.alone()
			p.debug(namespace, "pod/"+victim, "--debug-server", "connect://127.0.0.1:2159", "-x", "bt", "-x", "quit").
				ends(0, "● stopped at main", "nothing is left running")
			n.alone()

			s = p.debug(namespace, "pod/"+victim, "--debug-server", "connect://127.0.0.1:2161", "-x", "quit")
			s.ends(1, "There is no lldb-server at 127.0.0.1:2161.", "nsenter --target PID --pid --net --mount", "[ED1331]")
		})
	}
}

// waits waits until somebody listens at a port of the pod's loopback.
func (n *node) waits(pid string, port int) {
	n.t.Helper()
	n.run(`for i in $(seq 200); do grep -q ":$2 .* 0A " /proc/$1/net/tcp && exit 0; sleep 0.05; done; ps -e -o pid,args | grep lldb; exit 1`, pid, fmt.Sprintf("%04X", port))
}
