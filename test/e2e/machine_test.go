package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// environment is a variable in the environment of a running process.
func environment(t *testing.T, pid int, name string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range bytes.Split(b, []byte{0}) {
		if value, ok := bytes.CutPrefix(e, []byte(name+"=")); ok {
			return string(value)
		}
	}
	return ""
}

// scratch are the folders for LLDB's temporary files.
func scratch(t *testing.T, s *harness.Story) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"lldb/*", "envoydbg-*/lldb/[0-9]*"} {
		f, err := filepath.Glob(filepath.Join(s.Dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, f...)
	}
	return found
}

// LLDB puts what it compiles into a folder among the temporary files, and leaves it
// when it crashes at its end, as 19 does, or is killed. At the end of each story the
// harness looks for it.
func TestNothingOfLLDBsStaysAmongTheTemporaryFiles(t *testing.T) {
	const expression = "int $envoydbg = 3; $envoydbg + Envoy::main_began"
	compile := func(t *testing.T, s *harness.Story, c *harness.Session) {
		c.Do("evaluate", map[string]any{"expression": "`settings set target.process.unwind-on-error-in-expressions true", "context": "repl"}, nil)
		stop := c.Stopped(0)
		c.Do("evaluate", map[string]any{"expression": "`expression -g -- " + expression, "frameId": stop.Frames[0].ID, "context": "repl"}, nil)
		if found := scratch(t, s); len(found) == 0 {
			t.Error("LLDB has made no folder: nothing is tested")
		}
	}
	for _, how := range []struct {
		name string
		end  func(t *testing.T, c *harness.Session)
	}{
		{"disconnect", func(_ *testing.T, c *harness.Session) { c.Disconnect() }},
		{"lldb-dap is killed", func(t *testing.T, c *harness.Session) {
			if err := harness.Kill(c.Part(harness.LLDBDap)); err != nil {
				t.Fatal(err)
			}
			c.Until(0, "the end", func(e client.Entry) bool { return e.Name == "terminated" })
			c.End()
		}},
	} {
		t.Run(how.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				c := s.Start()
				c.Initialize()
				c.Attach(s.Sample())
				c.Configure(mainPlace(s))
				compile(t, s, c)
				for _, part := range []harness.Part{harness.Agent, harness.Envoy} {
					if got := environment(t, c.Part(part), "TMPDIR"); got != s.Dir {
						t.Errorf("%s has TMPDIR=%q, want %q", part, got, s.Dir)
					}
				}
				how.end(t, c)
			})
		})
		t.Run("plain, "+how.name, func(t *testing.T) {
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				c := s.Start()
				c.Initialize()
				c.Launch(plain())
				c.Configure(mainPlace(s))
				compile(t, s, c)
				debuggee := c.Stopped(0).Thread // the first thread has the process's number
				if got := environment(t, debuggee, "TMPDIR"); got != s.Dir {
					t.Errorf("the program has TMPDIR=%q, want %q", got, s.Dir)
				}
				how.end(t, c)
			})
		})
	}
}

// A descendant of lldb-dap's, outside its group, keeps its stdout and stderr open.
// That lldb-dap has ended is what counts.
func TestADescendantThatHoldsLLDBDapsOutputDelaysNothing(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		wrapper := filepath.Join(s.Dir, "lldb-dap")
		script := fmt.Sprintf("#!/bin/sh\nsetsid sleep 600 &\nexec %s\n", s.LLDB.DAP)
		// Not written here: a child forked meanwhile would hold it open for writing,
		// and nobody could run it.
		write := exec.Command("sh", "-c", `cat >"$0" && chmod 755 "$0"`, wrapper)
		write.Stdin = strings.NewReader(script)
		if out, err := write.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		c := s.Start("--lldb-dap", wrapper)
		c.Initialize()
		c.Launch(plain())
		c.Configure(mainPlace(s))
		c.Stopped(0)
		var sleepers []int
		for _, p := range s.Processes() {
			if p.Exe == "sleep" {
				sleepers = append(sleepers, p.PID)
				defer func() { _ = harness.Kill(p.PID) }()
			}
		}
		began := time.Now()
		if err := harness.Kill(c.Part(harness.LLDBDap)); err != nil {
			t.Fatal(err)
		}
		c.Until(0, "the end", func(e client.Entry) bool { return e.Name == "terminated" })
		c.End()
		if took := time.Since(began); took > errorWithin {
			t.Errorf("the end took %v", took)
		}
		if len(sleepers) == 0 {
			t.Fatal("there was no descendant: nothing was tested")
		}
		for _, pid := range sleepers {
			if p, err := process.Read(pid); err != nil || p.Dead() {
				t.Errorf("the descendant %d has ended: nothing was tested", pid)
			}
		}
	})
}

// When everything of a session that could clean up is killed at once, the next
// session in the same place does it: the adapter's folder and the helper's.
func TestTheNextSessionSweepsUpAfterAKilledOne(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample())
		c.Configure(mainPlace(s))
		c.Stopped(0)
		supervisor, helper := c.Part(harness.Supervisor), c.Part(harness.Helper)
		if err := syscall.Kill(c.PID, syscall.SIGSTOP); err != nil { // it would clean up after the others
			t.Fatal(err)
		}
		for _, pid := range []int{supervisor, helper, c.PID} {
			if err := harness.Kill(pid); err != nil && !errors.Is(err, syscall.ESRCH) {
				t.Fatal(err)
			}
		}
		s.NoProcessLeft()
		left, err := filepath.Glob(filepath.Join(s.Dir, "envoydbg-*"))
		if err != nil || len(left) != 2 {
			t.Fatalf("%v, %v: want the adapter's folder and the helper's", left, err)
		}

		c = s.Start()
		c.Initialize()
		c.Attach(s.Sample())
		c.Configure(mainPlace(s))
		c.Stopped(0)
		for _, folder := range left {
			if _, err := os.Stat(folder); err == nil {
				t.Errorf("%s is still there", folder)
			}
		}
		c.Disconnect()
	})
}

// everywhere is where a session's folder may be, apart from TMPDIR.
var everywhere = []string{"/tmp", "/dev/shm", "/var/lib/istio/data", "/etc/istio/proxy"}

// mounted is a shell script that mounts small file systems, in a mount namespace of
// its own, and becomes its arguments.
func mounted(options map[string]string) []string {
	var script strings.Builder
	script.WriteString("set -e\n")
	for path, o := range options {
		fmt.Fprintf(&script, "mkdir -p %s; mount -t tmpfs -o %s none %s\n", path, o, path)
	}
	script.WriteString(`exec "$@"`)
	return []string{"unshare", "--mount", "sh", "-c", script.String(), "sh"}
}

// Without a place for its folder the adapter says so, and of each place what is wrong
// with it.
func TestNoPlaceForTheSessionsFolder(t *testing.T) {
	t.Parallel()
	s := harness.NewStory(t, harness.The.LLDBs[0])
	options := map[string]string{}
	for _, path := range everywhere[1:] {
		options[path] = "nr_inodes=1"
	}
	wrap := mounted(options)
	// The program of the test is in /tmp, too: it is opened before that is hidden.
	const script = `exec 9<"$0"; mount -t tmpfs -o ro none /tmp; exec /proc/self/fd/9 "$@"`
	for _, command := range [][]string{{"dap"}, {"run", "--program", "/x", "--", "true"}} {
		cmd := exec.Command(wrap[0], slices.Concat(wrap[1:], []string{"sh", "-c", script, harness.The.Envoydbg}, command)...)
		cmd.Env = s.Env()
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("%s: no error", command[0])
		}
		for _, want := range []string{"No folder for the session's sockets can be made.", s.Dir + ": no such file or directory",
			"/tmp: read-only file system", "/dev/shm: no space left on device", "/etc/istio/proxy: no space left on device", "[ED1110]"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: %q is not in\n%s", command[0], want, out)
			}
		}
	}
}

// On a full disk the session says that, whichever step it is that finds no room.
func TestAFullDiskIsTold(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		options := map[string]string{filepath.Join(s.Dir, "small"): "size=64k"} // no room for the gate's 3.5 MB
		wrap := mounted(options)
		trace := filepath.Join(s.Dir, "trace")
		c := s.StartCommand(trace, wrap[0], slices.Concat(wrap[1:], []string{"env", "TMPDIR=" + filepath.Join(s.Dir, "small"),
			harness.The.Envoydbg, "dap", "--log", trace, "--lldb-dap", s.LLDB.DAP})...)
		c.Initialize()
		c.Attach(s.Sample())
		if e := c.AttachFails(); e.Code != 1906 || !strings.Contains(e.Text, "no space left on device") || !strings.Contains(e.Text, "disk space") {
			t.Errorf("ED%d %q", e.Code, e.Text)
		}
		c.Disconnect()
	})
}

// Whichever part it is that would find no room, the user is told of the limit, and
// never of LLDB's version or the last lines of a dump.
func TestALowLimitOfProcessesIsTold(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		for i, limit := range []int{20, 25, 30, 40, 200} {
			t.Run(strconv.Itoa(limit), func(t *testing.T) {
				s := harness.NewStory(t, s.LLDB)
				// The limit counts all processes of a user, and does not bind root.
				user := strconv.Itoa(470000 + 1000*s.LLDB.Version + i)
				envoy := filepath.Join(s.Dir, "envoy")
				if out, err := exec.Command("cp", harness.The.SampleDebug, envoy).CombinedOutput(); err != nil {
					t.Fatalf("cp: %v\n%s", err, out)
				}
				attributes := s.Of(envoy)
				if out, err := exec.Command("chown", "-R", user+":"+user, s.Dir).CombinedOutput(); err != nil {
					t.Fatalf("chown: %v\n%s", err, out)
				}
				trace := filepath.Join(s.Dir, "trace")
				c := s.StartCommand(trace, "setpriv", "--reuid", user, "--regid", user, "--clear-groups",
					// The other programs of the tests are in folders of root's.
					"--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search",
					"prlimit", "--nproc="+strconv.Itoa(limit), "--",
					"env", "HOME="+s.Dir, harness.The.Envoydbg, "dap", "--log", trace, "--lldb-dap", s.LLDB.DAP)
				c.Initialize()
				c.Attach(attributes)
				if limit == 200 { // the others fail for the limit alone
					c.Configure()
					c.Output("starting main dispatch loop")
					c.Disconnect()
					return
				}
				e := c.AttachFails()
				if e.Code != 1906 || !strings.Contains(e.Text, "esource temporarily unavailable") || !strings.Contains(e.Text, "ulimit -u") ||
					strings.Contains(e.Text, "version") || strings.Count(e.Text, "\n") > 4 {
					t.Errorf("ED%d %s", e.Code, e.Text)
				}
				c.Disconnect()
			})
		}
	})
}
