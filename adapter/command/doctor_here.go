package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/kube"
	"github.com/envoydbg/envoydbg/sourcemap"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// askTime bounds a question to a program of this machine.
const askTime = 20 * time.Second

// debuggers are the LLDB of this machine.
type debuggers struct {
	dap    lldb.Version
	server string // a path; empty when there is none, or when it is not of this machine
}

// programs looks for LLDB on this machine.
func (e *examination) programs(ctx context.Context) (here debuggers) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	path, err := lldb.FindDAP(e.flags.dap)
	if err == nil {
		here.dap, err = versionOfDAP(ctx, path)
	}
	if err != nil {
		e.add(failure("lldb-dap", err))
		return here
	}
	e.add(kube.Finding{Check: "lldb-dap", State: kube.OK, What: fmt.Sprintf("%s, %s", here.dap.Text, path)})
	e.add(indexCache(here.dap))
	if there, ok := strings.CutPrefix(e.flags.server, "container:"); ok {
		e.add(kube.Finding{Check: "lldb-server", State: kube.OK, What: there + " of the container is to be used"})
		return here
	}
	if here.server, err = lldb.FindServer(e.flags.server, path, here.dap); err != nil {
		e.add(failure("lldb-server", err))
		return here
	}
	out, err := exec.CommandContext(ctx, here.server, "version").CombinedOutput() // on stderr
	v, ok := lldb.ParseVersion(string(out))
	f := kube.Finding{Check: "lldb-server", State: kube.OK, What: fmt.Sprintf("%s, %s", v.Text, here.server)}
	switch {
	case err != nil || !ok:
		f.State, f.What = kube.Unknown, fmt.Sprintf("%s does not tell its version (%s)", here.server, strings.TrimSpace(fmt.Sprint(string(out), " ", err)))
		f.Why = "it must be of lldb-dap's version, " + here.dap.Text
	case v.Major != here.dap.Major:
		f = failure(f.Check, fault.ServerVersion(here.server, v.Text, here.dap.Text, fmt.Sprintf("lldb-server-%d", here.dap.Major)))
	}
	e.add(f)
	return here
}

// indexCache says how much LLDB has kept of programs, and where.
func indexCache(v lldb.Version) kube.Finding {
	f := kube.Finding{Check: "index cache", State: kube.OK}
	dir, err := v.IndexCacheDir()
	if err != nil {
		f.State, f.What, f.Why = kube.Warning, fault.Plain(err), "LLDB reads a large program anew in each session"
		return f
	}
	files, bytes := v.IndexCacheSize()
	f.What = fmt.Sprintf("%d files, %d of at most %d MB in %s", files, bytes>>20, lldb.IndexCacheBytes>>20, dir)
	return f
}

// versionOfDAP asks an lldb-dap; 19 tells its version in no other way.
func versionOfDAP(ctx context.Context, path string) (lldb.Version, error) {
	tmp, err := os.MkdirTemp("", "envoydbg-")
	if err != nil {
		return lldb.Version{}, err
	}
	defer os.RemoveAll(tmp)
	d, err := lldb.StartDAP(ctx, lldb.Program{Path: path, Env: []string{"TMPDIR=" + tmp, "DEBUGINFOD_URLS="}}, silent{}, nil)
	if err != nil {
		return lldb.Version{}, fault.LLDBDapStart(path, "", "", err)
	}
	_, err = d.Initialize(ctx, dapio.NewRequest("initialize", map[string]any{"adapterID": "envoy"}))
	_ = d.Close()
	switch {
	case err != nil:
		return lldb.Version{}, fault.LLDBDapStart(path, d.Stderr(), d.Said(), err)
	case d.Version.Major < lldb.Oldest:
		return d.Version, fault.LLDBTooOld(path, d.Version.Text, lldb.Oldest)
	}
	return d.Version, nil
}

// silent does not listen to an lldb-dap.
type silent struct{}

func (silent) Message(*dapio.Message) {}
func (silent) Ready()                 {}
func (silent) Ended()                 {}

// tracingHere tries whether a process may trace its child on this machine, as the helper
// does before lldb-server starts.
func tracingHere(ctx context.Context) kube.Finding {
	f := kube.Finding{Check: "tracing", State: kube.OK}
	path, err := helper.FindBinary("", runtime.GOARCH)
	if err != nil {
		return failure("helper", fault.NoHelper(err.Error(), err))
	}
	scope := "no Yama"
	if b, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil {
		scope = "kernel.yama.ptrace_scope is " + strings.TrimSpace(string(b))
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "trace").CombinedOutput()
	var ended *exec.ExitError
	switch {
	case err == nil:
		f.What = fmt.Sprintf("permitted: tried with a child (user %d, %s)", os.Getuid(), scope)
	case errors.As(err, &ended):
		f.State, f.What = kube.Failed, fmt.Sprintf("refused: %s (%s)", strings.TrimSpace(string(out)), scope)
		f.Why, f.Fix = "a debugger works by ptrace", "run envoydbg where ptrace is permitted: with kernel.yama.ptrace_scope at most 1, and in a container with CAP_SYS_PTRACE"
	default:
		f.State, f.What = kube.Unknown, err.Error()
	}
	return f
}

// localELF is the local Envoy.
type localELF struct {
	path, tree string
	info       elfinfo.Info
}

// localProgram looks at the local Envoy, nil where none can be used.
func (e *examination) localProgram(ctx context.Context) *localELF {
	f := kube.Finding{Check: "program", State: kube.Unknown, What: "none is named",
		Why: "with it doctor compares its build with the Envoy that will run", Fix: option("program", "FILE") + " names your unstripped Envoy"}
	if e.flags.program == "" {
		e.add(f)
		return nil
	}
	path, err := filepath.Abs(e.flags.program)
	p := &localELF{path: path, tree: e.flags.workTree}
	if err == nil {
		p.info, err = elfinfo.Read(path)
	}
	if err != nil {
		e.add(failure("program", fault.BadProgram(e.flags.program, err)))
		return nil
	}
	folder := e.flags.folder
	if folder == "" {
		folder, _ = os.Getwd()
	}
	if p.tree == "" {
		p.tree = sourcemap.FindWorkTree(path, folder)
	} else if abs, err := filepath.Abs(p.tree); err == nil {
		p.tree = abs
	}
	f = kube.Finding{Check: "program", State: kube.OK, What: fmt.Sprintf("%s, %s, build-id %s", path, p.info.Machine, brief(p.info.BuildID))}
	if !p.info.DWARF {
		f.State, f.What = kube.Warning, f.What+", without debug information"
		f.Why, f.Fix = "frames show addresses and no lines, and there are no variables", "name the file before it was stripped, built with bazel build -c dbg"
	}
	e.add(f)
	if split := splitProgram(ctx, path); split != nil {
		e.add(*split)
	}
	return p
}

// splitProgram is the finding of a program whose debug information is in other files;
// nil for one that has its own.
func splitProgram(ctx context.Context, path string) *kube.Finding {
	split, packed, err := linetable.Split(ctx, path)
	f := kube.Finding{Check: "split debug information", State: kube.OK, What: packed}
	switch {
	case err != nil:
		f.State, f.What, f.Why = kube.Unknown, err.Error(), "variables need it"
	case !split:
		return nil
	case packed == "":
		f.State, f.What = kube.Warning, fmt.Sprintf("there is no %s.dwp", filepath.Base(path))
		f.Why = "variables and types are in .dwo files, which LLDB finds only where the compiler wrote them"
		f.Fix = fmt.Sprintf("build the package, too (with Bazel the target's name and .dwp), and put it beside the program as %s.dwp", path)
	}
	return &f
}

// brief is a build-id for people.
func brief(id string) string {
	switch {
	case id == "":
		return "none"
	case len(id) <= 12:
		return id
	}
	return id[:4] + "…" + id[len(id)-4:]
}
