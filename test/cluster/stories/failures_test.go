package stories_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/cluster"
	"github.com/envoydbg/envoydbg/test/support/failures"
)

// phase brings a session to a phase, and shows that it goes on from there.
type phase struct {
	name  string
	more  []string // flags
	reach func(*typed)
	// goesOn does what a user would do next.
	goesOn func(*typed)
}

var phases = []phase{
	{"armed, waiting for the user", []string{"--start", "manual"},
		func(s *typed) { s.until("✓ armed") },
		func(s *typed) { s.say("start"); s.until("● stopped at main") }},
	{"stopped in main", nil,
		func(s *typed) { s.until("● stopped at main") },
		func(s *typed) { s.say("next"); s.until("main_common.cc:20") }},
	{"running", nil,
		func(s *typed) {
			s.until("● stopped at main")
			s.say("continue")
			s.until("starting main dispatch loop")
		},
		func(s *typed) { s.say("pause"); s.until("● stopped: pause") }},
}

// victim is the pod that the failures happen to.
const victim = "fortio-server-0"

// in runs a shell's script in the victim's sidecar.
func in(c *cluster.Cluster, namespace, script string) {
	c.Kubectl("exec", "-n", namespace, victim, "-c", "istio-proxy", "--", "sh", "-c", script)
}

// happening is what goes wrong, from outside the session.
type happening struct {
	name string
	do   func(c *cluster.Cluster, namespace string)
	// back ends an outage; the session has to survive it.
	back func(c *cluster.Cluster)
	// pod says that the pod or its container is another one afterwards.
	pod bool
	// envoy says that it happens to an Envoy.
	envoy bool
}

// envoyInPod finds Envoy by the name that the agent gave it: its program has another.
const envoyInPod = `for p in /proc/[0-9]*; do
  case $(readlink $p/exe) in */envoy-sample) echo ${p#/proc/}; exit;; esac
done`

func happenings() []happening {
	var all []happening
	for _, part := range []string{"kubelet", "kube-apiserver", "containerd"} {
		all = append(all, happening{name: part + " down and up again",
			do:   func(c *cluster.Cluster, _ string) { c.Part("stop", part) },
			back: func(c *cluster.Cluster) { c.Part("start", part) }})
	}
	return append(all,
		happening{name: "the connection is cut",
			do:   func(c *cluster.Cluster, _ string) { c.Cut() },
			back: func(*cluster.Cluster) {}},
		happening{name: "helper and its supervisor killed at once", do: func(c *cluster.Cluster, namespace string) {
			in(c, namespace, `for p in /proc/[0-9]*; do case $(readlink $p/exe) in */helper-*) all="$all ${p#/proc/}";; esac; done; kill -9 $all`)
		}},
		happening{name: "pod deleted", pod: true, do: func(c *cluster.Cluster, namespace string) {
			c.Kubectl("delete", "pod", victim, "-n", namespace, "--grace-period=0", "--force")
		}},
		happening{name: "pod evicted", pod: true, do: func(c *cluster.Cluster, namespace string) {
			c.Post("/api/v1/namespaces/"+namespace+"/pods/"+victim+"/eviction",
				`{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "`+victim+`", "namespace": "`+namespace+`"}}`)
		}},
		happening{name: "container started again", pod: true, do: func(c *cluster.Cluster, namespace string) {
			in(c, namespace, "kill -TERM 1")
		}},
		happening{name: "Envoy killed, as the container's memory is at its limit", envoy: true, do: func(c *cluster.Cluster, namespace string) {
			// The kernel takes Envoy before what has used the memory up.
			in(c, namespace, "envoy=$("+envoyInPod+"); echo 1000 > /proc/$envoy/oom_score_adj || exit; tail /dev/zero; exit 0")
		}})
}

// guaranteed gives a pod what it asks for and no more. Only then is there room below a
// process's score for the kernel to prefer another one.
const guaranteed = `{"spec": {"template": {
  "metadata": {"annotations": {
    "sidecar.istio.io/proxyCPU": "700m", "sidecar.istio.io/proxyCPULimit": "700m",
    "sidecar.istio.io/proxyMemory": "512Mi", "sidecar.istio.io/proxyMemoryLimit": "512Mi"}},
  "spec": {"containers": [{"name": "main-app", "resources": {
    "requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}}}]}}}}`

var (
	errorNumber = regexp.MustCompile(`\[(ED\d{4})\]`)
	envoyEnded  = regexp.MustCompile(`(?m)^.*(Envoy ended: exit code \d+)`)
)

// lastSaid is the last error in the text, by its number and title, or how Envoy ended.
func lastSaid(t *testing.T, text string) string {
	t.Helper()
	if all := errorNumber.FindAllStringSubmatch(text, -1); len(all) > 0 {
		number := all[len(all)-1][1]
		catalogue, err := os.ReadFile(checkout.Path(t, "docs/errors.md"))
		if err != nil {
			t.Fatal(err)
		}
		_, title, _ := strings.Cut(string(catalogue), "### "+number+" ")
		title, _, _ = strings.Cut(title, "\n")
		return number + " " + title
	}
	if m := envoyEnded.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	t.Errorf("the session says nothing:\n%s", text)
	return ""
}

// What happens to a session when its cluster, its pod or its Envoy fails.
func TestWhatFailsInAClusterInEveryPhase(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	c.Kubectl("patch", "statefulset", "fortio-server", "-n", namespace, "-p",
		guaranteed)
	c.Kubectl("rollout", "status", "statefulset/fortio-server", "-n", namespace, "--timeout="+cluster.Limit.String())
	var rows failures.Table
	all := 0
	for _, ph := range phases {
		rows.Phases = append(rows.Phases, ph.name)
		for _, h := range happenings() {
			if h.envoy && ph.name == phases[0].name {
				continue
			}
			for _, version := range lldbs {
				all++
				t.Run(ph.name+"/"+h.name+"/LLDB "+version, func(t *testing.T) {
					c := cluster.Of(t)
					p := productOf(t, c, version)
					uid := c.Kubectl("get", "pod", victim, "-n", namespace, "-o", "jsonpath={.metadata.uid}")
					restarts := restartsOf(c, namespace)
					s := p.typing(namespace, ph.more...)
					ph.reach(s)
					from := len(s.text())
					began := time.Now()
					h.do(c, namespace)
					row := failures.Row{Phase: ph.name, What: h.name}
					fmt.Sscan(version, &row.LLDB)
					if h.back != nil {
						s.until("was cut")
						h.back(c)
						s.until("is back")
						row.Sees, row.After = "a line that the connection was cut, and one that it is back; debugging goes on", time.Since(began)
						ph.goesOn(s)
						s.say("quit")
						s.ends(0, "nothing is left running")
					} else {
						code := s.end()
						row.After = time.Since(began)
						row.Sees = lastSaid(t, s.text()[from:])
						if code != 1 {
							t.Errorf("it ended with %d:\n%s", code, s.text())
						}
					}
					if h.pod {
						again(t, c, namespace, uid, restarts)
					}
					parked(t, c, namespace, victim)
					if !h.pod {
						row.Gone = time.Since(began) - row.After
					}
					rows.Add(row)
				})
			}
		}
	}
	if !t.Failed() {
		rows.Check(t, "cluster", all)
	}
}

func restartsOf(c *cluster.Cluster, namespace string) string {
	return c.Kubectl("get", "pod", victim, "-n", namespace, "-o", `jsonpath={.status.initContainerStatuses[?(@.name=="istio-proxy")].restartCount}`)
}

// again waits for the pod that comes after that of the uid, or for its container that
// comes after so many others.
func again(t *testing.T, c *cluster.Cluster, namespace, uid, restarts string) {
	deadline := time.Now().Add(cluster.Limit)
	for {
		out, err := c.TryKubectl("get", "pod", victim, "-n", namespace, "-o",
			`jsonpath={.metadata.uid} {.status.initContainerStatuses[?(@.name=="istio-proxy")].restartCount} {.status.conditions[?(@.type=="Ready")].status}`)
		words := strings.Fields(out)
		if err == nil && len(words) == 3 && (words[0] != uid || words[1] != restarts) && words[2] == "True" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not there again: %v %q", victim, err, words)
		}
		time.Sleep(100 * time.Millisecond)
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
