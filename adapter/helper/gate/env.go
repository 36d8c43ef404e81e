//go:build linux

package gate

import (
	"slices"
	"strings"
)

// ProxyConfigEnv is the variable pilot-agent reads its mesh configuration from,
// binaryPath among it.
const ProxyConfigEnv = "PROXY_CONFIG"

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

// Environ is what leads an agent to the gate by its environment, and what undoes
// it for Envoy.
type Environ struct {
	// ProxyConfig is the value of PROXY_CONFIG that names the gate.
	ProxyConfig string `json:"proxyConfig"`
	// Original is the value without the gate; nil when it is not set.
	Original *string `json:"original"`
	// Bin is the folder that was put first in PATH; empty when none was.
	Bin string `json:"bin"`
}

// Restore returns env as it is without the gate. What the agent itself has
// changed stays, and everything keeps its place.
func (e Environ) Restore(env []string) []string {
	out := make([]string, 0, len(env))
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		switch {
		case name == ProxyConfigEnv && value == e.ProxyConfig:
			if e.Original != nil {
				out = append(out, name+"="+*e.Original)
			}
		case name == "PATH" && e.Bin != "":
			dirs := slices.DeleteFunc(strings.Split(value, ":"), func(dir string) bool { return dir == e.Bin })
			out = append(out, name+"="+strings.Join(dirs, ":"))
		default:
			out = append(out, kv)
		}
	}
	return out
}
