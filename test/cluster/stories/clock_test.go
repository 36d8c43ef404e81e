package stories_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// wrongClock makes a copy of the product whose helper has the wall clock of a node that is
// an hour ahead: a helper that is built with another time.Now. The kernel has one wall
// clock for all.
func (p *product) wrongClock() *product {
	p.t.Helper()
	dir := p.t.TempDir()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		p.t.Fatal(err)
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src/time/time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		p.t.Fatal(err)
	}
	const now = "	sec, nsec, mono := runtimeNow()\n	if mono == 0 {\n"
	changed := strings.Replace(string(text), now, strings.Replace(now, "\n", "\n	sec += 3600\n", 1), 1)
	if changed == string(text) {
		p.t.Fatalf("%s has no place for another clock", source)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: filepath.Join(dir, "time.go")}})
	if err != nil {
		p.t.Fatal(err)
	}
	for name, text := range map[string]string{"time.go": changed, "overlay.json": string(overlay)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-trimpath", "-ldflags", "-s -w",
		"-o", filepath.Join(dir, "envoydbg-helper-linux-"+runtime.GOARCH), "./adapter/helper/envoydbg-helper")
	cmd.Dir, cmd.Env = p.root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%v: %s", err, out)
	}
	q := *p
	q.program = filepath.Join(dir, "envoydbg")
	if err := os.Link(p.tool("envoydbg"), q.program); err != nil {
		if out, err := exec.Command("cp", p.tool("envoydbg"), q.program).CombinedOutput(); err != nil {
			p.t.Fatalf("%v: %s", err, out)
		}
	}
	return &q
}

var timeOfDay = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)`)

// A session with a node whose clock is an hour ahead goes as any other: through a cut, to
// its end. Since when it is there is told by the clock of who asks.
func TestANodeWhoseClockIsWrong(t *testing.T) {
	c := cluster.Of(t)
	namespace := c.Demo()
	for _, lldb := range lldbs {
		t.Run("LLDB "+lldb, func(t *testing.T) {
			p := productOf(t, c, lldb).wrongClock()
			began := time.Now().Truncate(time.Second)
			s := p.typing(namespace)
			s.until("● stopped at main")
			c.Cut()
			s.until("is back after")
			s.say("next")
			s.until("main_common.cc:20")
			var lock struct{ Since time.Time }
			text := c.Kubectl("exec", "-n", namespace, victim, "-c", "istio-proxy", "--", "sh", "-c", "cat /var/lib/istio/data/.envoydbg/*/session.lock")
			if err := json.Unmarshal([]byte(text), &lock); err != nil || lock.Since.Before(began.Add(50*time.Minute)) {
				t.Errorf("the clock there is not an hour ahead: %v, %s", err, text)
			}
			status := p.start("agent", "status", "pod/"+victim, "-n", namespace)
			status.ends(0, "session", "@")
			times := timeOfDay.FindAllString(status.text(), -1)
			if len(times) == 0 {
				t.Errorf("no time in\n%s", status.text())
			}
			for _, text := range times {
				if at, err := time.Parse(time.RFC3339, text); err != nil || at.Before(began.Add(-2*time.Second)) || at.After(time.Now()) {
					t.Errorf("%s is told, between %v and %v (%v):\n%s", text, began, time.Now(), err, status.text())
				}
			}
			s.say("quit")
			s.ends(0, "nothing is left running")
			parked(t, c, namespace, victim)
		})
	}
}
