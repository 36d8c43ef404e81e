package harness

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// LLDB is one version under test.
type LLDB struct {
	Version int
	// DAP is the path of lldb-dap; lldb-server is beside it.
	DAP string
}

// String is the name of the subtests, e.g. "LLDB 19".
func (l LLDB) String() string { return "LLDB " + strconv.Itoa(l.Version) }

// Parts are the programs the tests use; paths are absolute.
type Parts struct {
	Root        string // of the checkout
	Envoydbg    string
	PilotAgent  string
	Envoy       string // the real one, stripped
	Sample      string // stripped
	SampleDebug string // the same build with symbols
	Sources     string // the folder the sample's DWARF calls /proc/self/cwd
	LLDBs       []LLDB
	// Target is what the stories debug through.
	Target Target
}

// Target is what the stories debug through.
type Target string

// The targets.
const (
	Local   Target = ""        // the helper is a child of the adapter
	Tunnel  Target = "tunnel"  // a daemon on this machine; see test/support/tunnel
	Cluster Target = "cluster" // in a held pod of the test cluster; see pod.go
	Arm64   Target = "arm64"   // in an arm64 machine in software; see machine.go
)

// The is what SetUp found and built.
var The Parts

// parallel is how many stories run at once. Each is a debugger that loads hundreds
// of MB of libraries, and some stories measure seconds.
const parallel = "2"

// targetVariable chooses the Target.
const targetVariable = "ENVOYDBG_E2E_TARGET"

// SetUp finds the parts and builds envoydbg. It is called by pidns.Main, and ends
// the test run when a part is missing. The function that it returns removes what
// was built.
func SetUp() func() {
	flag.Parse()
	if err := flag.Set("test.parallel", parallel); err != nil {
		fail(err)
	}
	dir, err := os.MkdirTemp("", "harness-")
	if err != nil {
		fail(err)
	}
	if err := The.find(); err != nil {
		fail(err)
	}
	program, end := ".", func() {}
	switch The.Target = Target(os.Getenv(targetVariable)); The.Target {
	case Local:
	case Tunnel:
		program = "./test/support/tunnel"
	case Cluster:
		end = cluster.Up()
	case Arm64:
		program = "./test/support/machine/envoydbg"
		if end, err = bootMachine(dir); err != nil {
			fail(err)
		}
	default:
		fail(fmt.Errorf("%s is %q: it may be %q, %q or %q", targetVariable, The.Target, Tunnel, Cluster, Arm64))
	}
	if The.Envoydbg, err = build(dir, "envoydbg", program); err != nil {
		fail(err)
	}
	if _, err := build(dir, "envoydbg-helper-linux-"+runtime.GOARCH, "./adapter/helper/envoydbg-helper"); err != nil {
		fail(err)
	}
	return func() {
		end()
		_ = os.RemoveAll(dir)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "harness:", err)
	os.Exit(1)
}

func (p *Parts) find() error {
	dir, err := checkout.Root()
	if err != nil {
		return err
	}
	p.Root = dir
	p.Sources = filepath.Join(dir, "test/sample")
	for to, name := range map[*string]string{&p.PilotAgent: "bin/tools/pilot-agent", &p.Envoy: "bin/tools/envoy",
		&p.Sample: "bin/sample/envoy", &p.SampleDebug: "bin/sample/envoy.debug"} {
		if *to, err = filepath.EvalSymlinks(filepath.Join(dir, name)); err != nil {
			return missing(name)
		}
	}
	for _, version := range []int{19, 22} {
		bin := filepath.Join(dir, "bin/tools", fmt.Sprintf("lldb-%d", version), "bin")
		for _, name := range []string{"lldb-dap", "lldb-server"} {
			if !isFile(filepath.Join(bin, name)) {
				return missing(filepath.Join(bin, name))
			}
		}
		p.LLDBs = append(p.LLDBs, LLDB{version, filepath.Join(bin, "lldb-dap")})
	}
	return nil
}

func missing(name string) error { return fmt.Errorf("%s is missing: run make setup", name) }

func isFile(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// build compiles a command of this module into dir, with additions to the environment.
func build(dir, name, pkg string, env ...string) (string, error) {
	path := filepath.Join(dir, name)
	// No test reads the symbols, whose writing is a third of the work.
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, pkg)
	cmd.Dir = The.Root
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return path, nil
}

// Build compiles a command that only tests use, into the folder of envoydbg.
func Build(name, pkg string) (string, error) { return build(filepath.Dir(The.Envoydbg), name, pkg) }
