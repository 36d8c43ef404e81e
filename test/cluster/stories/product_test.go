package stories_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// lldbs are the versions that every story runs with.
var lldbs = []string{"19", "22"}

// product is envoydbg as a user runs it, against the cluster.
type product struct {
	t          *testing.T
	root       string
	kubeconfig string
	lldb       string
}

func productOf(t *testing.T, c *cluster.Cluster, lldb string) *product {
	t.Helper()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	return &product{t: t, root: root, kubeconfig: c.Kubeconfig(), lldb: lldb}
}

// tool is a program or folder that the set-up has made.
func (p *product) tool(path string) string { return filepath.Join(p.root, "bin", path) }

// session is a run of envoydbg.
type session struct {
	*product
	cmd  *exec.Cmd
	mu   sync.Mutex
	out  bytes.Buffer
	more chan struct{}
	done chan error
}

// Write implements io.Writer.
func (s *session) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.more)
	s.more = make(chan struct{})
	return s.out.Write(b)
}

// start runs envoydbg.
func (p *product) start(args ...string) *session {
	p.t.Helper()
	return p.startFrom(nil, args...)
}

// startFrom is start with a standard input.
func (p *product) startFrom(stdin *os.File, args ...string) *session {
	p.t.Helper()
	s := &session{product: p, more: make(chan struct{}), done: make(chan error, 1)}
	s.cmd = exec.Command(p.tool("envoydbg"), args...)
	s.cmd.Env = append(os.Environ(), "KUBECONFIG="+p.kubeconfig)
	if stdin != nil {
		s.cmd.Stdin = stdin
	}
	s.cmd.Stdout, s.cmd.Stderr = s, s
	if err := s.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() { s.done <- s.cmd.Wait() }()
	p.t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			<-s.done
		}
	})
	return s
}

// debug runs a session with the sample Envoy of the image.
func (p *product) debug(namespace, target string, more ...string) *session {
	p.t.Helper()
	return p.debugFrom(nil, namespace, target, more...)
}

// debugFrom is debug with a standard input.
func (p *product) debugFrom(stdin *os.File, namespace, target string, more ...string) *session {
	p.t.Helper()
	return p.startFrom(stdin, append([]string{"run", target, "-n", namespace, "--lldb-dap", p.tool("tools/lldb-" + p.lldb + "/bin/lldb-dap"),
		"--work-tree", filepath.Join(p.root, "test/sample"), "--program", p.tool("sample/envoy.debug"),
		"--envoy-path", "/usr/local/bin/envoy-sample"}, more...)...)
}

func (s *session) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// until waits until the session has printed a text.
func (s *session) until(text string) {
	s.t.Helper()
	late := time.After(cluster.Limit)
	for {
		s.mu.Lock()
		found, more := strings.Contains(s.out.String(), text), s.more
		s.mu.Unlock()
		if found {
			return
		}
		select {
		case <-more:
		case err := <-s.done:
			s.done <- err
			s.t.Fatalf("the session has ended (%v) without %q:\n%s", err, text, s.text())
		case <-late:
			s.t.Fatalf("no %q within %v:\n%s", text, cluster.Limit, s.text())
		}
	}
}

// end waits for the end and returns the exit code.
func (s *session) end() int {
	s.t.Helper()
	select {
	case <-s.done:
		s.done <- nil
	case <-time.After(cluster.Limit):
		s.t.Fatalf("it does not end:\n%s", s.text())
	}
	return s.cmd.ProcessState.ExitCode()
}

// ends waits for the end, with this exit code, and checks that the lines are there in
// this order.
func (s *session) ends(code int, lines ...string) {
	s.t.Helper()
	if got := s.end(); got != code {
		s.t.Errorf("exit code %d, want %d:\n%s", got, code, s.text())
	}
	rest := s.text()
	for _, line := range lines {
		_, after, found := strings.Cut(rest, line)
		if !found {
			s.t.Errorf("no %q in its place in\n%s", line, s.text())
			return
		}
		rest = after
	}
}

var zombie = regexp.MustCompile(`(?m)^Z.*\n?`)

// parked checks that nothing runs in a sidecar but what parks it.
func parked(t *testing.T, c *cluster.Cluster, namespace, pod string) {
	t.Helper()
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
			t.Errorf("left in the pod:\n%s", out)
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

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
			s.ends(0, "✓ armed", "✓ attached", "starting main dispatch loop", "● stopped: pause", "nothing is left running")
			parked(t, c, namespace, "fortio-server-0")
		})
	}
}

// Every connection to the API server is cut, with Envoy stopped and with Envoy running;
// the session goes on.
func TestACutConnectionIsTakenUpAgain(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			p := productOf(t, c, lldb)
			s := p.typing(namespace)
			s.until("● stopped at main")
			c.Cut()
			s.say("next")
			s.until("main_common.cc:20")
			s.say("b server.cc:99")
			s.say("continue")
			s.until("● stopped at breakpoint 2")
			s.say("continue")
			s.until("server.cc:99] starting main dispatch loop")
			c.Cut()
			s.say("pause")
			s.until("● stopped: pause")
			s.say("quit")
			s.ends(0, "was cut", "is back", "was cut", "is back", "nothing is left running")
			parked(t, c, namespace, "fortio-server-0")
		})
	}
}

// A pod that is deleted under a session ends it, with a word that says so.
func TestADeletedPodEndsTheSession(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	s := p.debug(namespace, "pod/fortio-server-classic-0", "-x", "await what never comes")
	s.until("● stopped at main")
	c.Kubectl("delete", "pod", "fortio-server-classic-0", "-n", namespace, "--grace-period=0", "--force")
	s.ends(1, "[ED15") // gone, or replaced by its StatefulSet
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

// A user with the Role of docs/security.md can debug. Without one of its permissions
// the error names it, and nothing is left.
func TestTheDocumentedRoleIsEnoughAndNoneOfItTooMuch(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	root, err := checkout.Root()
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/security.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, role, _ := strings.Cut(string(page), "```yaml\n")
	role, _, _ = strings.Cut(role, "```")
	grant := func(role string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "role.yaml")
		if err := os.WriteFile(file, []byte(role), 0o600); err != nil {
			t.Fatal(err)
		}
		c.Kubectl("apply", "-n", namespace, "-f", file)
	}
	grant(role)
	c.Kubectl("create", "rolebinding", "envoydbg", "-n", namespace, "--role=envoydbg", "--user=jane")
	p := productOf(t, c, "22")
	s := p.debug(namespace, "statefulset/fortio-server", "--as=jane", "-x", "quit")
	s.ends(0, "✓ attached", "nothing is left running")
	d := p.start("doctor", "statefulset/fortio-server", "-n", namespace, "--as=jane", "--lldb-dap", p.tool("tools/lldb-22/bin/lldb-dap"))
	d.ends(0, "may create pods/exec", "ok", "tracing", "ok")
	for _, x := range []struct{ from, to, says string }{
		{"verbs: [get, list]", "verbs: [get]", `cannot list resource "pods"`},
		{"statefulsets, ", "", `cannot get resource "statefulsets"`},
		{"pods/exec", "pods/log", `"pods/exec"`},
	} {
		grant(strings.Replace(role, x.from, x.to, 1))
		s := p.debug(namespace, "statefulset/fortio-server", "--as=jane", "-x", "quit")
		s.ends(1, x.says, "[ED1605]")
		d := p.start("doctor", "statefulset/fortio-server", "-n", namespace, "--as=jane", "--lldb-dap", p.tool("tools/lldb-22/bin/lldb-dap"))
		d.ends(1, "failed")
	}
	grant(role)
	parked(t, c, namespace, "fortio-server-0")
}

// What is no target is told as that.
func TestWhatIsNoTargetInTheCluster(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	for target, want := range map[string]string{
		"pod/nothing":                    "[ED1602]",
		"deployment/nothing":             "[ED1602]",
		"pod/fortio-server-0 -c main-ap": "[ED1604]",
	} {
		s := p.debug(namespace, strings.Fields(target)[0], append(strings.Fields(target)[1:], "-x", "quit")...)
		s.ends(1, want)
	}
}
