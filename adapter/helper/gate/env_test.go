//go:build linux

package gate

import (
	"slices"
	"testing"
)

func TestEnvironmentReturnsToWhatItWas(t *testing.T) {
	for _, env := range [][]string{
		{"A=1"},
		{"GODEBUG=http2client=0", "A=1"},
		{"GODEBUG=", "A=1"},
		{"GODEBUG=asyncpreemptoff=1"},
		{},
	} {
		q := quiet(env)
		if slices.Equal(q, env) {
			t.Errorf("quiet(%q) changed nothing", env)
		}
		if got := loud(q); !slices.Equal(got, env) {
			t.Errorf("loud(quiet(%q)) = %q", env, got)
		}
	}
}

func TestOnlyWhatLedToTheGateIsTakenBack(t *testing.T) {
	const config = `{"binaryPath":"/gate"}`
	original := "concurrency: 2"
	for _, c := range []struct {
		name      string
		environ   Environ
		env, want []string
	}{
		{"set before", Environ{ProxyConfig: config, Original: &original},
			[]string{"A=1", "PROXY_CONFIG=" + config, "PROXY_CONFIG_X=kept"}, []string{"A=1", "PROXY_CONFIG=concurrency: 2", "PROXY_CONFIG_X=kept"}},
		{"not set before", Environ{ProxyConfig: config}, []string{"A=1", "PROXY_CONFIG=" + config, "B=2"}, []string{"A=1", "B=2"}},
		{"changed by the agent", Environ{ProxyConfig: config, Original: &original}, []string{"PROXY_CONFIG={}"}, []string{"PROXY_CONFIG={}"}},
		{"PATH", Environ{Bin: "/d/bin"}, []string{"PATH=/d/bin:/usr/bin::/bin", "XPATH=/d/bin"}, []string{"PATH=/usr/bin::/bin", "XPATH=/d/bin"}},
		{"PATH with more in front", Environ{Bin: "/d/bin"}, []string{"PATH=/opt/bin:/d/bin:/usr/bin"}, []string{"PATH=/opt/bin:/usr/bin"}},
		{"PATH left alone", Environ{}, []string{"PATH=:/usr/bin"}, []string{"PATH=:/usr/bin"}},
	} {
		if got := c.environ.Restore(c.env); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWhatIsNoStart(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, ""},
		{[]string{"-c", "envoy.yaml", "--mode", "serve"}, ""},
		{[]string{"--version"}, "--version"},
		{[]string{"-c", "envoy.yaml", "--hot-restart-version"}, "--hot-restart-version"},
		{[]string{"--help"}, "--help"},
		{[]string{"-h"}, "-h"},
		{[]string{"-c", "envoy.yaml", "--mode", "validate", "-l", "debug"}, "--mode validate"},
		{[]string{"--mode=validate"}, "--mode validate"},
		{[]string{"--mode", "init_only"}, ""},
		{[]string{"--mode"}, ""},
		{[]string{"--service-node", "validate"}, ""},
		{[]string{"-c", "envoy.yaml", "--", "--version"}, ""},
	} {
		if got := Query(c.args); got != c.want {
			t.Errorf("%q: got %q, want %q", c.args, got, c.want)
		}
	}
}
