//go:build linux

package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Params is what the gate has to know.
type Params struct {
	// Envoy is the path to exec, as the agent would have called it: it becomes
	// argv[0] too.
	Envoy string `json:"envoy"`
	// Timeout in milliseconds: how long to wait for a tracer.
	Timeout int64 `json:"timeout"`
	// ProxyConfig is the value PROXY_CONFIG has without the gate; nil when it
	// is not set.
	ProxyConfig *string `json:"proxyConfig"`
	// Socket is where the helper hears of the gate.
	Socket string `json:"socket"`
}

// Report is one line from the gate to the helper.
type Report struct {
	State  State  `json:"state"`
	Detail string `json:"detail,omitempty"`
}

// State of a gate, in the words of helper.GateParams.
type State string

const (
	Waiting  State = "waiting" // stands and waits for a tracer
	TimedOut State = "timeout" // nobody traced it; it exits with ExitTimeout
	Failed   State = "failed"  // it could not become Envoy; it exits with ExitFailed
)

// Exit codes of a gate that does not become Envoy.
const (
	ExitTimeout = 86
	ExitFailed  = 87
)

// ProxyConfigEnv is the variable pilot-agent reads its mesh configuration from,
// binaryPath among it.
const ProxyConfigEnv = "PROXY_CONFIG"

const (
	firstPrefix  = "start-"
	secondPrefix = "step-"
	paramsSuffix = ".json"
)

// Install puts the gate, which will wait under the name base, into dir with its
// parameters, and returns the path to give to the agent as Envoy's. Installing
// again replaces the parameters.
func Install(dir, base string, p Params) (string, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, base+paramsSuffix), b, 0o600); err != nil {
		return "", err
	}
	path := filepath.Join(dir, firstPrefix+base)
	if err := place(path); err != nil {
		return "", fmt.Errorf("the gate could not be placed at %s: %w", path, err)
	}
	return path, nil
}

// place makes path the running executable: as a hard link, or where that cannot
// be (another file system, fs.protected_hardlinks) as a copy.
func place(path string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	err = os.Link(exe, path)
	if err == nil || errors.Is(err, os.ErrExist) {
		return nil
	}
	src, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer src.Close()
	// A child forked while the copy is open for writing would inherit that,
	// and the exec of the copy would fail with ETXTBSY.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	dst, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700)
	if err != nil {
		return err
	}
	if _, err := io.Copy(dst, src); err != nil {
		dst.Close()
		return err
	}
	return dst.Close()
}
