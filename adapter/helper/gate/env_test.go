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

func TestProxyConfigIsRestored(t *testing.T) {
	original := "concurrency: 2"
	env := []string{"A=1", "PROXY_CONFIG={\"binaryPath\":\"/gate\"}", "PROXY_CONFIG_X=kept"}
	if got, want := Restore(env, &original), []string{"A=1", "PROXY_CONFIG=concurrency: 2", "PROXY_CONFIG_X=kept"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Restore(env, nil), []string{"A=1", "PROXY_CONFIG_X=kept"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTracerPid(t *testing.T) {
	if got := tracer([]byte("Name:\tx\nPid:\t7\nTracerPid:\t4711\nUid:\t0\n")); got != 4711 {
		t.Errorf("got %d", got)
	}
	if got := tracer([]byte("Name:\tx")); got != 0 {
		t.Errorf("got %d", got)
	}
}
