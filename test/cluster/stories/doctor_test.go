package stories_test

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// finding is what doctor's JSON has for each check.
type finding struct{ Check, State, What, Why, Fix string }

// commit is the one that the sidecar's image names as its Envoy's: the set-up makes it of the
// sample.
func (p *product) commit() string {
	p.t.Helper()
	b, err := os.ReadFile(p.tool("sample/envoy"))
	if err != nil {
		p.t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha1.Sum(b))
}

// diagnosis are the findings of a run of doctor, by their check.
func (p *product) diagnosis(code int, namespace, target string, more ...string) map[string]finding {
	p.t.Helper()
	s := p.start(append([]string{"doctor", target, "-n", namespace, "-o", "json", "--lldb-dap", p.tool("tools/lldb-" + p.lldb + "/bin/lldb-dap"),
		"--program", p.tool("sample/envoy.debug"), "--envoy-path", "/usr/local/bin/envoy-sample", "--work-tree", filepath.Join(p.root, "test/sample")}, more...)...)
	s.ends(code)
	var list []finding
	if err := json.Unmarshal([]byte(s.text()), &list); err != nil {
		p.t.Fatalf("%v:\n%s", err, s.text())
	}
	all := map[string]finding{}
	for _, f := range list {
		if _, twice := all[f.Check]; twice {
			p.t.Errorf("%q is there twice:\n%s", f.Check, s.text())
		}
		if f.State == "failed" && (f.Why == "" || f.Fix == "") {
			p.t.Errorf("a failure without a reason or a fix: %+v", f)
		}
		all[f.Check] = f
	}
	return all
}

// is checks a finding's state and that its texts contain a word.
func is(t *testing.T, found map[string]finding, check, state, says string) {
	t.Helper()
	if f, ok := found[check]; !ok || f.State != state || !strings.Contains(f.What+" "+f.Why+" "+f.Fix, says) {
		t.Errorf("%s: %+v, want %s with %q, among %+v", check, f, state, says, found)
	}
}

// A held sidecar is healthy, and doctor leaves nothing in it.
func TestDoctorFindsAHeldSidecarHealthy(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	files := func() string {
		return c.Kubectl("exec", "-n", namespace, "fortio-server-0", "-c", "istio-proxy", "--", "find", "/var/lib/istio/data", "/etc/istio/proxy", "/tmp")
	}
	before := files()
	for _, lldb := range lldbs {
		p := productOf(t, c, lldb)
		for _, workload := range workloads {
			found := p.diagnosis(0, namespace, "statefulset/"+workload)
			for check, f := range found {
				if f.State != "ok" && check != "commit" { // the sample is of another project than the image
					t.Errorf("LLDB %s: %+v", lldb, f)
				}
			}
			is(t, found, "lldb-dap", "ok", lldb+".")
			is(t, found, "lldb-server", "ok", lldb+".")
			is(t, found, "build", "ok", "build-id")
			is(t, found, "Envoy", "ok", "held by /usr/local/bin/pilot-agent wait")
			is(t, found, "tracing", "ok", "user 1337, group 1337, without CAP_SYS_PTRACE, no_new_privs")
			is(t, found, "space", "ok", "/var/lib/istio/data has")
			is(t, found, "memory", "ok", "of the limit of 1074 MB")
			is(t, found, "session", "ok", "nobody")
			is(t, found, "may get statefulsets.apps", "ok", "yes")
			is(t, found, "commit", "unknown", p.commit()[:7])
		}
	}
	if after := files(); after != before {
		t.Errorf("doctor has left something:\n%s\nbefore:\n%s", after, before)
	}
	// The table says the same to people.
	p := productOf(t, c, "22")
	p.start("doctor", "sts/fortio-server", "-n", namespace, "--lldb-dap", p.tool("tools/lldb-22/bin/lldb-dap")).ends(0, "CHECK", "STATE", "FOUND", "program", "unknown", "pod", "native sidecar istio-proxy runs", "build", "unknown")
}

// What would go wrong is told: another build, too little memory, probes.
func TestDoctorFindsWhatWouldGoWrong(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.ApplyIn(namespace, strings.NewReplacer("name: distroless", "name: probed", "sidecar.istio.io/proxyImageType: distroless", `sidecar.istio.io/proxyMemoryLimit: 128Mi`,
		`"startupProbe": {"failureThreshold": 1000000}`,
		`"startupProbe": {"failureThreshold": 900}, "livenessProbe": {"httpGet": {"path": "/", "port": 15021}, "periodSeconds": 10, "failureThreshold": 3}`).Replace(distroless))
	c.WaitRunning(namespace, "pod/probed", "istio-proxy")
	p := productOf(t, c, "22")
	found := p.diagnosis(1, namespace, "probed", "--envoy-path", "/usr/local/bin/envoy")
	is(t, found, "build", "failed", "build commit "+p.commit())
	is(t, found, "livenessProbe", "warning", "failed for 30 s")
	is(t, found, "startupProbe", "warning", "restarts the container in")
	is(t, found, "memory", "warning", "of the limit of 134 MB")
	is(t, found, "Envoy", "ok", "held by")
	// A session says at once what restarts its container, and goes on.
	p.debug(namespace, "pod/probed", "-x", "quit").ends(0, "livenessProbe: restarts the container when it has failed for 30 s", "[ED1521]", "nothing is left running")
}

// A sidecar whose Envoy runs is not held.
func TestDoctorFindsAnEnvoyThatRuns(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	startAgent(c, namespace, "fortio-server-0")
	c.WaitReady(namespace, "pod/fortio-server-0")
	p := productOf(t, c, "22")
	found := p.diagnosis(1, namespace, "pod/fortio-server-0")
	is(t, found, "Envoy", "failed", "envoydbg hold pod/fortio-server-0")
	is(t, found, "session", "ok", "nobody")
	p.debug(namespace, "pod/fortio-server-0", "-x", "quit").ends(1, "[ED1520]")
}

// Somebody else's session is told with who has it; when it has ended, the pod is free.
func TestDoctorFindsTheSessionOfSomebodyElse(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	p := productOf(t, c, "22")
	s := p.debug(namespace, "pod/fortio-server-0", "-x", "await what never comes")
	s.until("● stopped at main")
	found := p.diagnosis(1, namespace, "pod/fortio-server-0")
	is(t, found, "session", "failed", "has debugged this Envoy since 20")
	is(t, found, "Envoy", "failed", "wait until that session has ended")
	p.debug(namespace, "pod/fortio-server-0", "-x", "quit").ends(1, "[ED1504]") // and not that an Envoy runs
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	s.ends(130, "nothing is left running")
	found = p.diagnosis(0, namespace, "pod/fortio-server-0")
	is(t, found, "session", "ok", "nobody")
}

// The command that doctor names gives the permission that is missing; one of the two ways
// to run commands is enough.
func TestDoctorsCommandGivesThePermission(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	c.Kubectl("create", "role", "look", "-n", namespace, "--verb=get", "--resource=pods")
	c.Kubectl("create", "rolebinding", "look", "-n", namespace, "--role=look", "--user=jane")
	p := productOf(t, c, "22")
	found := p.diagnosis(1, namespace, "pod/fortio-server-0", "--as=jane")
	is(t, found, "may get pods", "ok", "yes")
	is(t, found, "may get pods/exec", "failed", "--user=jane")
	is(t, found, "may create pods/exec", "failed", "--user=jane")
	for _, command := range strings.Split(found["may create pods/exec"].Fix, " && ") {
		c.Kubectl(strings.Fields(command)[1:]...)
	}
	found = p.diagnosis(0, namespace, "pod/fortio-server-0", "--as=jane")
	is(t, found, "may get pods/exec", "warning", "another way")
	is(t, found, "may create pods/exec", "ok", "yes")
	is(t, found, "build", "ok", "build-id")
	p.debug(namespace, "pod/fortio-server-0", "--as=jane", "-x", "quit").ends(0, "✓ attached", "nothing is left running")
}

// A sidecar without a shell is told, with the permission and the image that it takes.
func TestDoctorFindsASidecarWithoutAShell(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Namespace("istio-injection=enabled")
	c.ApplyIn(namespace, distroless)
	c.WaitRunning(namespace, "pod/distroless", "istio-proxy")
	p := productOf(t, c, "22")
	found := p.diagnosis(1, namespace, "distroless")
	is(t, found, "shell", "failed", "--debug-image")
	is(t, found, "may patch pods/ephemeralcontainers", "ok", "yes")
	found = p.diagnosis(0, namespace, "distroless", "--debug-image", "envoydbg.test/proxyv2:1")
	is(t, found, "shell", "warning", "carries the helper in")
}
