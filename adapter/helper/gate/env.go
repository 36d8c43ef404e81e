//go:build linux

package gate

import (
	"slices"
	"strings"
)

const (
	goDebug    = "GODEBUG="
	preemptOff = "asyncpreemptoff=1"
)

// quiet returns env with asynchronous preemption turned off for a Go program.
// env names a variable once, as os.Environ does.
func quiet(env []string) []string {
	env = slices.Clone(env)
	for i := range env {
		if strings.HasPrefix(env[i], goDebug) {
			env[i] += "," + preemptOff
			return env
		}
	}
	return append(env, goDebug+preemptOff)
}

// loud undoes quiet.
func loud(env []string) []string {
	env = slices.Clone(env)
	for i := range env {
		if env[i] == goDebug+preemptOff {
			return slices.Delete(env, i, i+1)
		}
		if strings.HasPrefix(env[i], goDebug) {
			env[i] = strings.TrimSuffix(env[i], ","+preemptOff)
			return env
		}
	}
	return env
}

// Restore returns env with PROXY_CONFIG as it is without the gate: value, or
// absent when nil. Everything else keeps its place.
func Restore(env []string, value *string) []string {
	out := make([]string, 0, len(env))
	for _, kv := range env {
		if !strings.HasPrefix(kv, ProxyConfigEnv+"=") {
			out = append(out, kv)
		} else if value != nil {
			out = append(out, ProxyConfigEnv+"="+*value)
		}
	}
	return out
}
