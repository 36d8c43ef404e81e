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
//	at-term:N      from now on, at SIGTERM, prints N bytes and exits with 3
//	stay           waits to be ended
//	exit:N
func playAgent(script []string) {
	var envoy *exec.Cmd
	for _, line := range script {
		word, arg, _ := strings.Cut(line, ":")
		switch word {
		case "print":
			n, _ := strconv.Atoi(arg)
			printLines(n)
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
		case "at-term":
			n, _ := strconv.Atoi(arg)
			asked := make(chan os.Signal, 1)
			signal.Notify(asked, syscall.SIGTERM)
			go func() {
				<-asked
				printLines(n)
				os.Exit(3)
			}()
		case "stay":
			<-make(chan os.Signal)
		case "exit":
			n, _ := strconv.Atoi(arg)
			os.Exit(n)
		}
	}
}

func printLines(bytes int) {
	for i := 0; i < bytes; i += 100 {
		fmt.Printf("%099d\n", i)
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
