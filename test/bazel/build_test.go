package bazel

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/pidns"
)

func TestMain(m *testing.M) { pidns.Main(m) }

// built is one variant, built.
type built struct {
	workspace  string // as Bazel knows it
	outputBase string
	envoy      string // the program, by its real path
}

// build makes the variant, or finds it made.
func build(t *testing.T, variant string) built {
	t.Helper()
	if out, err := exec.Command("./build.sh", variant).CombinedOutput(); err != nil {
		t.Fatalf("build.sh %s: %v\n%s", variant, err, out)
	}
	tree := resolve(t, checkout.Path(t, "bin/bazel", variant))
	workspace := filepath.Join(tree, "bazel/istio_proxy")
	execroot := resolve(t, filepath.Join(workspace, "bazel-istio_proxy"))
	return built{
		workspace:  workspace,
		outputBase: filepath.Dir(filepath.Dir(execroot)),
		envoy:      resolve(t, filepath.Join(workspace, "bazel-bin/envoy")),
	}
}

func resolve(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestASecondBuildIsQuick(t *testing.T) {
	build(t, "gcc")
	started := time.Now()
	build(t, "gcc")
	if took := time.Since(started); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestNothingStaysAfterABuild: neither processes nor sandboxes stay behind.
func TestNothingStaysAfterABuild(t *testing.T) {
	out := t.TempDir()
	if text, err := exec.Command("./build.sh", "shm", out).CombinedOutput(); err != nil {
		t.Fatalf("build.sh: %v\n%s", err, text)
	}
	processes, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil || len(processes) == 0 {
		t.Fatalf("no processes: %v", err)
	}
	for _, process := range processes {
		// Bazel is written in Java. A process that has ended since has no program.
		if program, _ := os.Readlink(process); filepath.Base(program) == "java" {
			t.Errorf("%s still runs: %s", process, program)
		}
	}
	outputBase := filepath.Dir(filepath.Dir(resolve(t, filepath.Join(out, "bazel/istio_proxy/bazel-istio_proxy"))))
	sum := sha256.Sum256([]byte(outputBase))
	for _, folder := range []string{outputBase + "/sandbox", "/dev/shm/bazel-sandbox." + hex.EncodeToString(sum[:])} {
		if _, err := os.Stat(folder); !os.IsNotExist(err) {
			t.Errorf("%s is there (%v)", folder, err)
		}
	}
}

func TestTheOutputBaseIsNamedAfterTheWorkspace(t *testing.T) {
	b := build(t, "gcc")
	sum := md5.Sum([]byte(b.workspace))
	if got, want := filepath.Base(b.outputBase), hex.EncodeToString(sum[:]); got != want {
		t.Errorf("%s, want the MD5 of %s, %s", got, b.workspace, want)
	}
}

// TestRepositoriesInTheOutputBase: the three ways in which a repository's files are reached.
func TestRepositoriesInTheOutputBase(t *testing.T) {
	b := build(t, "gcc")
	isLink := func(path string) bool {
		st, err := os.Lstat(filepath.Join(b.outputBase, "external", path))
		if err != nil {
			t.Fatal(err)
		}
		return st.Mode()&os.ModeSymlink != 0
	}
	for path, want := range map[string]bool{
		"envoy":                           true,  // local_repository
		"com_github_sample_crc":           false, // new_local_repository: a folder
		"com_github_sample_crc/src":       true,  // of links
		"com_github_sample_ticks":         false, // as after a download:
		"com_github_sample_ticks/src":     false, // folders
		"com_github_sample_ticks/BUILD":   false, // and files
		"com_github_sample_ticks/include": false,
	} {
		if got := isLink(path); got != want {
			t.Errorf("external/%s: link %v, want %v", path, got, want)
		}
	}
}

// TestAllKindsOfFilesRun: the string is put together by all of them.
func TestAllKindsOfFilesRun(t *testing.T) {
	const want = "envoydbg.metadata: sidecar~sample/sample/Clean/2/5/12004/1.0#"
	for _, variant := range variants {
		b := build(t, variant.name)
		// It says what is linked in before it fails to read this.
		out, err := exec.Command(b.envoy, "-c", "/nonexistent").CombinedOutput()
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 1 || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, want exit code 1 and %q in\n%s", variant.name, err, want, out)
		}
	}
}
