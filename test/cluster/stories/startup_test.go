package stories_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// The whole startup, from the command to Envoy's main and on, in both kinds of sidecars.
func TestAHeldSidecarIsDebugged(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	for _, lldb := range lldbs {
		for _, workload := range workloads {
			t.Run(fmt.Sprintf("LLDB %s, %s", lldb, workload), func(t *testing.T) {
				p := productOf(t, c, lldb)
				s := p.debug(namespace, "statefulset/"+workload, "-x", "bt", "-x", "next", "-x", "p argc", "-x", "continue",
					"-x", "await starting main dispatch loop", "-x", "quit")
				s.ends(0, "✓ preflight", "pod/"+workload+"-0", "✓ debug server", "✓ armed", "✓ agent started", "✓ attached",
					"before its first instruction", "✓ breakpoints", "● stopped at main", "Envoy::MainCommon::main", "test/sample/source/exe/main_common.cc:19",
					"● stopped: step over", "main_common.cc:20", "starting main dispatch loop", "nothing is left running")
				parked(t, c, namespace, workload+"-0")
			})
		}
	}
}

// The real Envoy is stripped: it stops in main, then the sidecar gets its certificate
// and its configuration, turns ready, and requests pass.
func TestTheRealEnvoyTurnsReadyAfterItsDebuggedStart(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	s := p.start("run", "pod/fortio-server-0", "-n", namespace, "--lldb-dap", p.tool("tools/lldb-22/bin/lldb-dap"),
		"--program", p.tool("tools/envoy"), "-x", "continue", "-x", "await the end of this test")
	s.until("● stopped at main")
	waitConfigured(c, namespace, "fortio-server-0")
	c.WaitReady(namespace, "pod/fortio-server-0")
	startAgent(c, namespace, "fortio-server-classic-0")
	c.WaitReady(namespace, "pod/fortio-server-classic-0")
	out := c.Kubectl("exec", "-n", namespace, "fortio-server-0", "-c", "main-app", "--", "/app", "get", "http://fortio-server-classic."+namespace+":8080/hello")
	if !strings.Contains(out, "server: envoy") {
		t.Errorf("the request did not pass Envoy:\n%s", out)
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	s.ends(130, "nothing is left running")
	parked(t, c, namespace, "fortio-server-0")
}

// A request that the application sends stops in the worker of Envoy that takes it, and
// goes on.
func TestARequestStopsOnItsWayThroughEnvoy(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			p := productOf(t, c, lldb)
			s := p.typed(func(in *os.File) *session {
				return p.startFrom(in, "run", "pod/fortio-server-0", "-n", namespace, "--lldb-dap", p.tool("tools/lldb-"+lldb+"/bin/lldb-dap"),
					"--program", p.tool("tools/envoy"))
			})
			s.until("● stopped at main")
			s.say("continue")
			waitConfigured(c, namespace, "fortio-server-0")
			s.say("pause")
			s.until("● stopped: pause")
			s.say("b accept4")
			s.say("continue")
			request := c.Follow("exec", "-n", namespace, "fortio-server-0", "-c", "main-app", "--", "/app", "get", "http://fortio-server-classic."+namespace+":8080/hello")
			s.until("● stopped at breakpoint")
			s.say("bt")
			s.until("accept4")
			s.say("breakpoint delete --force")
			s.say("continue")
			request.Until("server: envoy")
			s.say("quit")
			s.ends(0, "nothing is left running")
			parked(t, c, namespace, "fortio-server-0")
		})
	}
}

// Without the gate Envoy is caught a moment after its start.
func TestASessionWithoutTheGate(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			s := productOf(t, c, lldb).debug(namespace, "pod/fortio-server-0", "--gate=false", "--set", "breakpointPresets=[]",
				"--env", `PROXY_CONFIG={"binaryPath":"/usr/local/bin/envoy-sample"}`,
				"-x", "await starting main dispatch loop", "-x", "pause", "-x", "bt", "-x", "quit")
			// The debugger may come before or after that line: nothing holds Envoy.
			s.ends(0, "✓ armed", "✓ attached", "● stopped: pause", "nothing is left running")
			s.ends(0, "starting main dispatch loop", "● stopped: pause")
			parked(t, c, namespace, "fortio-server-0")
		})
	}
}
