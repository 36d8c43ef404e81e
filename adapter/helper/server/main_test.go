//go:build linux

package server

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
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
// are asked for; "ptrace" takes ptrace away; "descriptors" makes it use up its own
// when it gets SIGUSR1.
const poorVariable = "ENVOYDBG_TEST_POOR"

func playPoor() {
	poor := os.Getenv(poorVariable)
	_ = os.Unsetenv(poorVariable) // it is not for the gate, nor for the helper's next exec
	if errno, err := strconv.Atoi(poor); err == nil {
		err = processtest.Refuse(syscall.Errno(errno), processtest.Pidfds(), os.Args, os.Environ())
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if poor == "ptrace" {
		err := processtest.Refuse(syscall.EPERM, []uint32{syscall.SYS_PTRACE}, os.Args, os.Environ())
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

// actor makes a link to the test binary under name. An Envoy is a file of its own
// with a build-id of its own, as it is in life.
func actor(t *testing.T, name string) string {
	t.Helper()
	dir := t.TempDir()
	// Some agents change their user.
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, name)
	if strings.HasPrefix(name, "real-envoy") {
		writeEnvoy(t, path, 1)
		return path
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(exe, path); err != nil {
		b, err := os.ReadFile(exe)
		if err != nil {
			t.Fatal(err)
		}
		writeProgram(t, path, b)
	}
	return path
}

// writeEnvoy writes a copy of the test binary with another build-id, a different
// one for each number.
func writeEnvoy(t *testing.T, path string, number byte) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	info, err := elfinfo.Read(exe)
	if err != nil || info.BuildID == "" {
		t.Fatalf("the test binary has no build-id: %+v, %v", info, err)
	}
	id, err := hex.DecodeString(info.BuildID)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(b, id)
	if at < 0 {
		t.Fatalf("the build-id %s is not in the test binary", info.BuildID)
	}
	b[at] ^= number
	writeProgram(t, path, b)
}

// writeProgram holds back forks: a child with the file open for writing would
// keep it from being executed.
func writeProgram(t *testing.T, path string, b []byte) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, b, 0o755); err != nil {
		t.Fatal(err)
	}
}

// playAgent does what its arguments say, one after the other:
//
//	print:N        N bytes to stdout, in lines of 100
//	say:TEXT       a line to stderr
//	envoy          starts Envoy as PROXY_CONFIG says, or else $ENVOY
//	envoy-anyway   starts $ENVOY, whatever PROXY_CONFIG says
//	ask:ARGS       runs the same with these arguments and waits for its end
//	ask-anyway:ARGS
//	wait           waits for the last Envoy and exits as it did
//	visit          has a child come to the gate that ends before its second step
//	wait-on        waits for the last Envoy and goes on
//	restart        starts Envoy again whenever it ends
//	user:N         becomes user and group N
//	deaf           ignores SIGTERM from now on
//	at-term:N      from now on, at SIGTERM, prints N bytes and exits with 3
//	stay           waits to be ended
//	sync           waits for SIGUSR1
//	done           makes the file $AGENT_DONE
//	exit:N
func playAgent(script []string) {
	var envoy *exec.Cmd
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	for _, line := range script {
		word, arg, _ := strings.Cut(line, ":")
		switch word {
		case "print":
			n, _ := strconv.Atoi(arg)
			printLines(n)
		case "say":
			fmt.Fprintln(os.Stderr, arg)
		case "envoy", "envoy-anyway":
			envoy = startEnvoy(word == "envoy-anyway", "-c", "etc/istio/proxy/envoy-rev.json", "two words", "")
		case "ask", "ask-anyway":
			asked := startEnvoy(word == "ask-anyway", strings.Fields(arg)...)
			if err := asked.Wait(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		case "wait":
			_ = envoy.Wait()
			os.Exit(envoy.ProcessState.ExitCode())
		case "wait-on":
			_ = envoy.Wait()
		case "visit":
			if err := exec.Command(os.Args[0], "arrive").Run(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		case "arrive":
			gate, err := net.Dial("unix", filepath.Join(filepath.Dir(binaryPath()), "g.sock"))
			if err == nil {
				_, err = io.WriteString(gate, `{"args":["envoy"]}`+"\n")
			}
			if err == nil {
				_, err = bufio.NewReader(gate).ReadString('\n')
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		case "restart":
			for {
				_ = envoy.Wait()
				envoy = startEnvoy(false, "--restart-epoch", "1")
			}
		case "user":
			n, _ := strconv.Atoi(arg)
			if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(n), syscall.Setuid(n)); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
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
		case "sync":
			<-asked
		case "done":
			if err := os.WriteFile(os.Getenv("AGENT_DONE"), nil, 0o600); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		case "stay":
			<-make(chan os.Signal)
		case "exit":
			n, _ := strconv.Atoi(arg)
			os.Exit(n)
		}
	}
}

func binaryPath() string {
	var c struct{ BinaryPath string }
	_ = json.Unmarshal([]byte(os.Getenv("PROXY_CONFIG")), &c)
	return c.BinaryPath
}

func startEnvoy(anyway bool, args ...string) *exec.Cmd {
	path := binaryPath()
	if path == "" || anyway {
		path = os.Getenv("ENVOY")
	}
	envoy := exec.Command(path, args...)
	envoy.Stdout, envoy.Stderr = os.Stdout, os.Stderr
	if err := envoy.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return envoy
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
	if gate.Query(os.Args[1:]) != "" {
		fmt.Printf("ANSWER pid %d\n", os.Getpid())
		if os.Getenv("ENVOY_SLOW") != "" {
			time.Sleep(time.Second) // long enough to be noticed
		}
		os.Exit(0)
	}
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
