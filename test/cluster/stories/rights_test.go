package stories_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/cluster"
)

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
