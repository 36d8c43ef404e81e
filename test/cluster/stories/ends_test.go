package stories_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
)

// ownCluster is a second cluster, beside that of the other stories.
func ownCluster(t *testing.T, ctx context.Context, tools, command string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, checkout.Path(t, "bin/cluster"), command)
	cmd.Dir = checkout.Path(t)
	cmd.Env = append(os.Environ(), "ENVOYDBG_TOOLS="+tools)
	return cmd
}

// traces are the processes, mounts and files that are left of the cluster whose
// state is in tools, and the control groups that there were not before.
func traces(t *testing.T, tools string, groupsBefore []string) (found []string) {
	t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(commands, "/proc/self/mountinfo") {
		// A process that has ended meanwhile is no trace.
		if text, _ := os.ReadFile(path); bytes.Contains(text, []byte(tools)) {
			found = append(found, path+": "+strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	entries, err := os.ReadDir(filepath.Join(tools, "cluster"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "lock" {
			found = append(found, e.Name())
		}
	}
	for _, group := range groups(t) {
		if !strings.Contains(strings.Join(groupsBefore, "\n"), group) {
			found = append(found, group)
		}
	}
	return found
}

func groups(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"/sys/fs/cgroup/envoydbg*", "/sys/fs/cgroup/*/envoydbg*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

func TestTheClusterEndsWithoutATrace(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	tools, before := t.TempDir(), groups(t)
	if out, err := ownCluster(t, ctx, tools, "up").CombinedOutput(); err != nil {
		t.Fatalf("up: %v: %s", err, out)
	}
	if left := traces(t, tools, before); len(left) < 10 {
		t.Errorf("a cluster that is up has so few traces that they are not seen: %q", left)
	}
	if out, err := ownCluster(t, ctx, tools, "up").CombinedOutput(); err != nil || !strings.Contains(string(out), "is up") {
		t.Errorf("up again: %v: %s", err, out)
	}
	if out, err := ownCluster(t, ctx, tools, "down").CombinedOutput(); err != nil {
		t.Fatalf("down: %v: %s", err, out)
	}
	if left := traces(t, tools, before); len(left) > 0 {
		t.Errorf("left after down: %q", left)
	}
	if out, err := ownCluster(t, ctx, tools, "down").CombinedOutput(); err != nil {
		t.Errorf("down again: %v: %s", err, out)
	}
}

func TestAnInterruptedStartLeavesNoTrace(t *testing.T) {
	for _, step := range []string{"image store", "etcd", "node ready"} {
		t.Run(step, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			tools, before := t.TempDir(), groups(t)
			up := ownCluster(t, ctx, tools, "up")
			progress, err := up.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var printed, complaint bytes.Buffer
			up.Stderr = &complaint
			if err := up.Start(); err != nil {
				t.Fatal(err)
			}
			reached := false
			for lines := bufio.NewScanner(io.TeeReader(progress, &printed)); lines.Scan(); {
				if strings.Contains(lines.Text(), step) {
					reached = true
					if err := up.Process.Signal(os.Interrupt); err != nil {
						t.Error(err)
					}
				}
			}
			if err := up.Wait(); err == nil || !reached {
				t.Errorf("up ended with %v, reached %q: %v\n%s%s", err, step, reached, &printed, &complaint)
			}
			if left := traces(t, tools, before); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}
