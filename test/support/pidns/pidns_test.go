package pidns_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/pidns"
)

// roleVariable makes a second copy of this test binary play a part: see
// TestRole.
const roleVariable = "PIDNS_TEST_ROLE"

// limit bounds every wait in these tests.
const limit = 10 * time.Second

// began is set by the set-up function, which must run where the tests run.
var began int

func TestMain(m *testing.M) {
	pidns.Main(m, func() func() { began = os.Getpid(); return nil })
}

func TestTheTestsSeeOnlyThemselves(t *testing.T) {
	if parent := os.Getppid(); parent != 1 {
		t.Errorf("the tests' parent is %d, want the namespace's init, 1", parent)
	}
	if began != os.Getpid() {
		t.Errorf("set-up ran in process %d, the tests in %d", began, os.Getpid())
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if first, err := os.Readlink("/proc/1/exe"); err != nil || first != own {
		t.Errorf("/proc/1 is %q (%v), want this test binary, %q", first, err, own)
	}
	for _, v := range os.Environ() {
		if strings.HasPrefix(v, "ENVOYDBG_PIDNS") {
			t.Errorf("the tests inherit %s", v)
		}
	}
}

func TestTheNetworkIsLoopbackAlone(t *testing.T) {
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	if len(interfaces) != 1 || interfaces[0].Name != "lo" {
		t.Errorf("interfaces %v, want lo alone", interfaces)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	connection, err := net.DialTimeout("tcp", listener.Addr().String(), limit)
	if err != nil {
		t.Fatalf("loopback does not carry: %v", err)
	}
	connection.Close()
}

func TestOrphansAreReaped(t *testing.T) {
	// The orphan ends when this test closes its standard input.
	shell := exec.Command("sh", "-c", "cat <&3 >/dev/null 2>&1 & echo $!")
	orphanInput, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	shell.ExtraFiles = []*os.File{orphanInput}
	output, err := shell.Output()
	if err != nil {
		t.Fatal(err)
	}
	orphanInput.Close()
	orphan, err := strconv.Atoi(strings.TrimSpace(string(output)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(orphan, 0); err != nil {
		t.Fatalf("the orphan is gone too early: %v", err)
	}
	hold.Close()
	// A zombie still takes signals, so this tells a reaped process from it.
	for deadline := time.Now().Add(limit); syscall.Kill(orphan, 0) == nil; {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", orphan)
		}
		time.Sleep(time.Millisecond)
	}
}

// TestRole is what the copies started by play run, each inside a namespace
// within this one.
func TestRole(t *testing.T) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		// As part of the whole run: nothing to play.
	case "exit 7":
		os.Exit(7)
	case "fail":
		t.Error("as asked")
	case "stay":
		fmt.Println("ready")
		// Outlives the tests unless the namespace ends it, and holds their output.
		child := exec.Command("sleep", "600")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("child")
		_ = child.Wait()
	default:
		t.Fatalf("unknown role %q", role)
	}
}

// play starts a copy of this test binary in a role; its output is readable
// until the last process that holds it has ended.
func play(t *testing.T, role string) (*exec.Cmd, *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0], "-test.run=^TestRole$", "-test.v")
	command.Env = append(os.Environ(), roleVariable+"="+role)
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		reader.Close()
	})
	return command, reader
}

func TestTheExitCodeComesOut(t *testing.T) {
	for role, want := range map[string]int{"exit 7": 7, "fail": 1, "": 0} {
		command, output := play(t, role)
		text, err := io.ReadAll(output)
		if err != nil {
			t.Fatalf("role %q: %v\n%s", role, err, text)
		}
		_ = command.Wait()
		if got := command.ProcessState.ExitCode(); got != want {
			t.Errorf("role %q: exit code %d, want %d\n%s", role, got, want, text)
		}
	}
}

func TestWhatEndsOutsideEndsAllInside(t *testing.T) {
	for _, test := range []struct {
		signal syscall.Signal
		want   int
	}{
		{syscall.SIGTERM, 128 + int(syscall.SIGTERM)}, // passed in, comes out as the tests' end
		{syscall.SIGKILL, -1},                         // cannot be passed in: init dies with outside
	} {
		t.Run(test.signal.String(), func(t *testing.T) {
			command, output := play(t, "stay")
			lines := bufio.NewScanner(output)
			for lines.Scan() && lines.Text() != "child" {
			}
			if err := command.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			// The end of the output shows that nothing that held it is alive.
			for lines.Scan() {
			}
			if err := lines.Err(); err != nil {
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("%v later something inside is still alive", limit)
				}
				t.Fatal(err)
			}
			_ = command.Wait()
			if got := command.ProcessState.ExitCode(); got != test.want {
				t.Errorf("exit code %d, want %d", got, test.want)
			}
		})
	}
}
