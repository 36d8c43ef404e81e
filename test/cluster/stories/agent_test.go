package stories_test

import (
	"os"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// What a session leaves running is told to the next one, can be looked at, and can be
// ended; then the place is free.
func TestWhatASessionLeavesRunningIsSeenAndEnded(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			p := productOf(t, c, lldb)
			const pod = "pod/fortio-server-0"
			on := func(words ...string) *session { return p.start(append(words, pod, "-n", namespace)...) }
			on("agent", "status").ends(0, "STATE", "parked")
			p.debug(namespace, pod, "--at-end", "run", "-x", "bt", "-x", "quit").
				ends(0, "● stopped at main", "they run on", "envoydbg logs "+pod, "envoydbg agent stop "+pod, "session ended")
			logs := on("logs", "-f")
			logs.until("starting main dispatch loop")
			on("agent", "status").ends(0, "running", "@", "pilot-agent proxy sidecar", "envoy-sample")
			p.debug(namespace, pod, "-x", "quit").ends(1, "left here", "pilot-agent proxy sidecar", "@", "since", "envoydbg agent stop "+pod+" --namespace="+namespace, "[ED1510]")
			on("agent", "start").ends(1, "[ED1510]")
			on("agent", "continue").ends(1, "[ED1514]")
			on("agent", "stop").ends(0, "ended")
			logs.ends(0)
			parked(t, c, namespace, "fortio-server-0")
			on("agent", "status").ends(0, "parked")
			on("agent", "stop").ends(0, "nothing of envoydbg's was there")
			p.debug(namespace, pod, "-x", "bt", "-x", "quit").ends(0, "● stopped at main", "nothing is left running")
			parked(t, c, namespace, "fortio-server-0")
		})
	}
}

// An agent is started, looked at and ended without a debug session. It gets its
// certificate and its configuration, and the sidecar turns ready.
func TestAnAgentIsStartedWithoutADebugSession(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	const pod = "statefulset/fortio-server-classic"
	on := func(words ...string) *session { return p.start(append(words, pod, "-n", namespace)...) }
	on("agent", "start").ends(0, "agent started (pid ")
	logs := on("logs", "-f")
	logs.until("Envoy proxy is ready") // its probe asks
	c.WaitReady(namespace, "pod/fortio-server-classic-0")
	on("agent", "status", "-o", "json").ends(0, `"state": "running"`, `"ours": true`, `"who": "`, "proxy", "/usr/local/bin/envoy")
	on("agent", "start").ends(1, "envoydbg agent stop "+pod+" --namespace="+namespace, "[ED1510]")
	p.debug(namespace, pod, "-x", "quit").ends(1, "[ED1510]")
	on("agent", "stop").ends(0, "ended")
	logs.ends(0, "Proxy role")
	parked(t, c, namespace, "fortio-server-classic-0")

	p.start("agent", "start", pod, "-n", namespace, "--", "pilot-agent", "no-such-command").
		ends(1, "exit status", "no-such-command", "[ED1513]")
	p.start("agent", "start", pod, "-n", namespace, "--", "no-such-program").ends(1, "no-such-program", "[ED1301]")
	parked(t, c, namespace, "fortio-server-classic-0")
}

// What envoydbg has not started is told, and left alone.
func TestAnAgentOfOthersIsLeftAlone(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	const pod = "pod/fortio-server-classic-0"
	on := func(words ...string) *session { return p.start(append(words, pod, "-n", namespace)...) }
	startAgent(c, namespace, "fortio-server-classic-0")
	on("agent", "status").ends(0, "running", "not envoydbg's", "pilot-agent proxy sidecar", "/usr/local/bin/envoy")
	on("agent", "start").ends(1, "pilot-agent proxy sidecar", "[ED1520]")
	on("agent", "stop").ends(0, "nothing of envoydbg's was there")
	c.WaitReady(namespace, pod)
	on("agent", "status").ends(0, "running", "not envoydbg's")
}

// A debug session is not ended by "agent stop", unless by force.
func TestADebugSessionIsEndedByForceAlone(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	const pod = "pod/fortio-server-0"
	on := func(words ...string) *session { return p.start(append(words, pod, "-n", namespace)...) }
	s := p.debug(namespace, pod, "-x", "await what never comes")
	s.until("● stopped at main")
	on("agent", "status").ends(0, "session", "@", "envoy-sample")
	on("agent", "stop").ends(1, "@", "since", "[ED1511]")
	on("agent", "stop", "--force").ends(0, "ended")
	s.ends(1, "the debug session is over")
	parked(t, c, namespace, "fortio-server-0")
}

// What is kept stopped stands in the pod until it is let run on, or ended.
func TestEnvoyIsKeptStoppedInThePod(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			p := productOf(t, c, lldb)
			const pod = "pod/fortio-server-0"
			on := func(words ...string) *session { return p.start(append(words, pod, "-n", namespace)...) }
			states := func() string {
				return c.Kubectl("exec", "-n", namespace, "fortio-server-0", "-c", "istio-proxy", "--", "sh", "-c",
					`for t in /proc/[0-9]*/task/*; do case $(readlink ${t%/task/*}/exe) in */envoy-sample) grep -h "^State\|^TracerPid" $t/status;; esac; done`)
			}
			p.debug(namespace, pod, "--at-end", "keepStopped", "-x", "bt", "-x", "quit").
				ends(0, "● stopped at main", "stays stopped for up to 60 minutes", "envoydbg agent continue "+pod, "envoydbg agent stop "+pod, "session ended")
			if out := states(); !strings.Contains(out, "T (stopped)") || strings.Contains(out, "sleeping") || !strings.Contains(out, "TracerPid:\t0") {
				t.Errorf("it is not stopped, or traced:\n%s", out)
			}
			on("agent", "status").ends(0, "stopped", "@", "envoy-sample")
			p.debug(namespace, pod, "-x", "quit").ends(1, "Envoy is stopped", "[ED1510]")
			on("agent", "continue").ends(0, "Envoy runs on")
			logs := on("logs", "-f")
			logs.until("starting main dispatch loop")
			on("agent", "continue").ends(1, "[ED1514]")
			on("agent", "status").ends(0, "running", "@")
			on("agent", "stop").ends(0, "ended")
			logs.ends(0)
			parked(t, c, namespace, "fortio-server-0")

			p.debug(namespace, pod, "--at-end", "keepStopped", "-x", "bt", "-x", "quit").ends(0, "stays stopped")
			on("agent", "stop").ends(0, "ended")
			parked(t, c, namespace, "fortio-server-0")
		})
	}
}

// An agent that first asks Envoy for its version and its opinion of a configuration:
// these pass, and the start that follows is the one that is debugged.
func TestAnAgentAsksEnvoyFirst(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	const asks = `e=$(echo "$PROXY_CONFIG" | sed -n 's/.*"binaryPath": *"\([^"]*\)".*/\1/p'); "$e" --version; "$e" --mode validate -c /none; exec pilot-agent proxy sidecar --domain "$POD_NAMESPACE.svc.cluster.local"`
	s := p.debug(namespace, "pod/fortio-server-0", "-x", "continue", "-x", "await starting main dispatch loop", "-x", "quit", "--", "sh", "-c", asks)
	s.ends(0, "--version", "runs without the debugger", "--mode validate", "runs without the debugger", "● stopped at main", "nothing is left running")
	parked(t, c, namespace, "fortio-server-0")
}

// A second session is told who has the first.
func TestASecondSessionIsToldWhoHasTheFirst(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	first := p.debug(namespace, "pod/fortio-server-0", "-x", "await what never comes")
	first.until("● stopped at main")
	second := p.debug(namespace, "pod/fortio-server-0", "-x", "quit")
	second.ends(1, "Somebody else debugs this Envoy.", "@", "since", "[ED1504]")
	// Its output is there for others, from the start; what it uses cannot be removed.
	logs := p.start("logs", "pod/fortio-server-0", "-n", namespace)
	logs.ends(0, "Proxy role", "Starting proxy agent")
	busy := p.start("clean", "pod/fortio-server-0", "-n", namespace)
	busy.ends(1, "[ED1610]")
	_ = first.cmd.Process.Signal(os.Interrupt)
	first.ends(130, "nothing is left running")
	parked(t, c, namespace, "fortio-server-0")
	p.start("clean", "pod/fortio-server-0", "-n", namespace).ends(0, "removed /var/lib/istio/data/.envoydbg")
	if out := c.Kubectl("exec", "-n", namespace, "fortio-server-0", "-c", "istio-proxy", "--", "ls", "-A", "/var/lib/istio/data"); strings.Contains(out, "envoydbg") {
		t.Errorf("left: %s", out)
	}
}
