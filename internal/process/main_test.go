//go:build linux

package process

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/internal/process/processtest"
	"github.com/envoydbg/envoydbg/test/support/pidns"
)

// limit bounds every wait.
const limit = 10 * time.Second

// roleVariable lets a copy of the test binary run one test under a condition that a
// process cannot get rid of again.
const roleVariable = "ENVOYDBG_PROCESS_TEST"

// The conditions.
const (
	pidfdsRefused = "the kernel refuses pidfds (EPERM)" // seccomp's usual answer
	pidfdsUnknown = "the kernel knows no pidfds (ENOSYS)"
	noDescriptor  = "no descriptor is left (EMFILE)"
)

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	errno := map[string]syscall.Errno{pidfdsRefused: syscall.EPERM, pidfdsUnknown: syscall.ENOSYS}[role]
	switch {
	case errno != 0:
		_ = os.Setenv(roleVariable, "refused")
		err := processtest.Refuse(errno, processtest.Pidfds(), os.Args, os.Environ())
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case role != "":
		os.Exit(m.Run())
	}
	pidns.Main(m)
}

// under runs the test that calls it again in processes of their own, one under each
// of the conditions. There it returns true.
func under(t *testing.T, conditions ...string) bool {
	t.Helper()
	if os.Getenv(roleVariable) != "" {
		return true
	}
	for _, condition := range conditions {
		t.Run(condition, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe", "-test.run=^"+strings.Split(t.Name(), "/")[0]+"$", "-test.v", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), roleVariable+"="+condition)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	return false
}

// refused says whether this process runs under one of the two conditions.
func refused() bool { return os.Getenv(roleVariable) == "refused" }

// sleeper starts a process that does nothing; the test ends it.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

func within(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("not within %s: %s", limit, what)
	}
}
