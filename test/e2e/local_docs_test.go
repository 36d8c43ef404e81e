package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// The page docs/local.md works as it is written: what it tells to type lays out the
// agent's folder, and its launch.json debugs an Envoy there. One LLDB after the other,
// because the page has its ports.
func TestThePageOnYourOwnEnvoyIsTrue(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(harness.The.Root, "docs/local.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, lldb := range harness.The.LLDBs {
		t.Run(lldb.String(), func(t *testing.T) {
			s := harness.NewStory(t, lldb)
			home := readersHome(t, s)
			layOut := exec.Command("bash", "-euc", block(t, string(page), "sh"))
			layOut.Env = append(os.Environ(), "HOME="+home)
			if out, err := layOut.CombinedOutput(); err != nil {
				t.Fatalf("the agent's folder: %v\n%s", err, out)
			}
			launch := strings.NewReplacer("${workspaceFolder}", filepath.Join(home, "proxy"), "${userHome}", home).Replace(block(t, string(page), "json"))
			var file struct{ Configurations []harness.Attributes }
			if err := json.Unmarshal([]byte(launch), &file); err != nil {
				t.Fatal(err)
			}

			c := s.Start()
			c.Initialize()
			c.Launch(file.Configurations[0])
			c.Configure()
			stop := c.Stopped(0)
			c.Do("continue", map[string]int{"threadId": stop.Thread}, nil)
			c.Output("starting main dispatch loop")
			c.Disconnect()
		})
	}
}

// readersHome is a home folder with what the page's first section builds.
func readersHome(t *testing.T, s *harness.Story) string {
	t.Helper()
	home := filepath.Join(s.Dir, "home")
	for link, to := range map[string]string{
		"istio/out/pilot-agent":                             harness.The.PilotAgent,
		"istio/tools/packaging/common/envoy_bootstrap.json": filepath.Join(harness.The.Root, "bin/tools/envoy_bootstrap_tmpl.json"),
		"proxy/bazel-bin/envoy":                             harness.The.Envoy,
	} {
		path := filepath.Join(home, link)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

// block is the first code block of a page in that language.
func block(t *testing.T, page, language string) string {
	t.Helper()
	m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("the page has no block in %s", language)
	}
	return m[1]
}
