//go:build linux

package server

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/helper/gate"
	"github.com/envoydbg/envoydbg/internal/process/processtest"
	"github.com/envoydbg/envoydbg/test/support/pidns"
)

// The test binary plays every part of a session, told by the name of the link
// it is started under (see actor): helper and gate, agent, Envoy.
func TestMain(m *testing.M) {
	gate.Main()
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	switch name := filepath.Base(exe); {
	case name == "helper":
		playPoor()
		code, err := Main(os.Args, "test")
		if err != nil {
			fmt.Fprintf(os.Stderr, "helper: %v\n", err)
		}
		os.Exit(code)
	case name == "agent":
		playAgent(os.Args[1:])
	case strings.HasPrefix(name, "real-envoy"):
		playEnvoy()
	default:
		// The race detector's pause before each exit would be most of the time.
		os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" atexit_sleep_ms=0"))
		pidns.Main(m)
	}
}

// poorVariable makes a helper poor: a number is what the kernel answers when pidfds
// are asked for; "descriptors" makes it use up its own when it gets SIGUSR1.
const poorVariable = "ENVOYDBG_TEST_POOR"

func playPoor() {
	poor := os.Getenv(poorVariable)
	_ = os.Unsetenv(poorVariable) // it is not for the gate, nor for the helper's next exec
	if errno, err := strconv.Atoi(poor); err == nil {
		err = processtest.Refuse(syscall.Errno(errno), processtest.Pidfds(), os.Args, os.Environ())
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if poor == "descriptors" {
		_ = os.Setenv(poorVariable, poor) // both processes of the helper
		use := make(chan os.Signal, 1)
		signal.Notify(use, syscall.SIGUSR1)
		go func() {
			<-use
			if _, err := processtest.Exhaust(); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}()
	}
}

// actor makes a link to the test binary under name.
func actor(t *testing.T, name string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Link(exe, path); err != nil {
		b, err := os.ReadFile(exe)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// playAgent does what its arguments say, one after the other:
//
//	print:N        N bytes to stdout, in lines of 100
//	say:TEXT       a line to stderr
//	envoy          starts Envoy as PROXY_CONFIG says, or else $ENVOY
//	envoy-anyway   starts $ENVOY, whatever PROXY_CONFIG says
//	wait           waits for Envoy and exits as it did
//	deaf           ignores SIGTERM from now on
//	stay           waits to be ended
//	exit:N
func playAgent(script []string) {
	var envoy *exec.Cmd
	for _, line := range script {
		word, arg, _ := strings.Cut(line, ":")
		switch word {
		case "print":
			n, _ := strconv.Atoi(arg)
			for i := 0; i < n; i += 100 {
				fmt.Printf("%099d\n", i)
			}
		case "say":
			fmt.Fprintln(os.Stderr, arg)
		case "envoy", "envoy-anyway":
			var c struct{ BinaryPath string }
			_ = json.Unmarshal([]byte(os.Getenv("PROXY_CONFIG")), &c)
			if c.BinaryPath == "" || word == "envoy-anyway" {
				c.BinaryPath = os.Getenv("ENVOY")
			}
			envoy = exec.Command(c.BinaryPath, "-c", "etc/istio/proxy/envoy-rev.json", "two words", "")
			envoy.Stdout, envoy.Stderr = os.Stdout, os.Stderr
			if err := envoy.Start(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		case "wait":
			_ = envoy.Wait()
			os.Exit(envoy.ProcessState.ExitCode())
		case "deaf":
			signal.Ignore(syscall.SIGTERM)
		case "stay":
			<-make(chan os.Signal)
		case "exit":
			n, _ := strconv.Atoi(arg)
			os.Exit(n)
		}
	}
}

// self is what Envoy tells of itself on stdout.
type selfReport struct {
	PID  int
	Args []string
	Env  []string
	Exe  string
}

func playEnvoy() {
	exe, _ := os.Readlink("/proc/self/exe")
	b, _ := json.Marshal(selfReport{os.Getpid(), os.Args, os.Environ(), exe})
	fmt.Printf("ENVOY %s\n", b)
	if os.Getenv("ENVOY_EXIT") != "" {
		n, _ := strconv.Atoi(os.Getenv("ENVOY_EXIT"))
		os.Exit(n)
	}
	if os.Getenv("ENVOY_DEAF") != "" {
		signal.Ignore(syscall.SIGTERM)
	}
	<-make(chan os.Signal)
}
