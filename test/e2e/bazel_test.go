package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// workspace is a build of test/bazel/istio_proxy.
type workspace struct {
	tree       string // the folder of everything
	root       string // the Bazel workspace
	outputBase string
	program    string // as one writes it: through bazel-bin
}

// built makes the variant, or finds it made.
func built(t *testing.T, variant string) workspace {
	t.Helper()
	if out, err := exec.Command(filepath.Join(harness.The.Root, "test/bazel/build.sh"), variant).CombinedOutput(); err != nil {
		t.Fatalf("build.sh %s: %v\n%s", variant, err, out)
	}
	tree, err := filepath.EvalSymlinks(filepath.Join(harness.The.Root, "bin/bazel", variant))
	if err != nil {
		t.Fatal(err)
	}
	w := workspace{tree: tree, root: filepath.Join(tree, "bazel/istio_proxy")}
	w.program = filepath.Join(w.root, "bazel-bin/envoy")
	execroot, err := filepath.EvalSymlinks(filepath.Join(w.root, "bazel-istio_proxy"))
	if err != nil {
		t.Fatal(err)
	}
	w.outputBase = filepath.Dir(filepath.Dir(execroot))
	return w
}

// kinds of files, by what a person would open in the editor, with a text in the
// line to stop at. All of them run at startup.
func (w workspace) kinds(t *testing.T) map[string]harness.Place {
	t.Helper()
	out := map[string]harness.Place{}
	// An editor may have opened a file by any of its names.
	link := filepath.Join(t.TempDir(), "link.h")
	if err := os.Symlink(w.root+"/include/node/node.h", link); err != nil {
		t.Fatal(err)
	}
	for kind, at := range map[string][2]string{
		"source of the workspace":               {w.root + "/extensions/metadata_exchange/plugin.cc", "metadata_ = join"},
		"header with a template, bazel-<ws>":    {w.root + "/bazel-istio_proxy/extensions/common/join.h", "joined += element;"},
		"source of an external repository":      {w.tree + "/sample/source/exe/main_common.cc", "main_began = main_began + 1;"},
		"generated source":                      {w.root + "/bazel-bin/extensions/common/build_info.cc", "std::string revision"},
		"generated after a transition":          {w.root + "/bazel-out/k8-dbg-ST-*/bin/extensions/common/legacy_flags.cc", "int flags ="},
		"header behind _virtual_includes, link": {link, "return type +"},
		"external header, several names":        {w.outputBase + "/external/com_github_sample_ticks/include/ticks/ticks.h", "unsigned count ="},
		"library's own build, in the sandbox":   {w.outputBase + "/external/com_github_sample_ticks/src/ticks.c", "return ticks_in"},
		"library's own build, copy of sources":  {w.outputBase + "/external/com_github_sample_crc/src/crc.c", "return ~crc"},
	} {
		paths, err := filepath.Glob(at[0])
		if err != nil || len(paths) != 1 {
			t.Fatalf("%s: %d files at %s", kind, len(paths), at[0])
		}
		out[kind] = harness.Place{File: paths[0], Line: lineWith(t, paths[0], at[1])}
	}
	return out
}

func lineWith(t *testing.T, path, text string) int {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, _, ok := bytes.Cut(content, []byte(text))
	if !ok {
		t.Fatalf("%q is not in %s", text, path)
	}
	return bytes.Count(before, []byte("\n")) + 1
}

// variants of the build: compilers, ways to run actions, versions and forms of
// the debug information.
var variants = []string{"gcc", "clang", "processwrapper", "shm", "local", "clang-local", "fission", "clang-fission", "fission-dwarf4", "relative", "sibling"}

// TestBreakpointsBindInEveryKindOfFile: nobody writes a source map. Each kind of
// file gets a breakpoint by its local path, which is verified, hit, and shown
// with that path.
func TestBreakpointsBindInEveryKindOfFile(t *testing.T) {
	for _, variant := range variants {
		t.Run(variant, func(t *testing.T) {
			w := built(t, variant)
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				kinds := w.kinds(t)
				c := s.Start()
				c.Initialize()
				c.Attach(s.Of(w.program))
				var places []harness.Place
				for _, place := range kinds {
					places = append(places, place)
				}
				c.Configure(places...)

				last := kinds["source of an external repository"]
				header := kinds["external header, several names"]
				hit := map[harness.Place]bool{}
				callers := map[string]bool{} // of the header's function
				locals := ""
				for from := 0; !hit[last]; {
					stop := c.Stopped(from)
					from = stop.Index + 1
					top := stop.Frames[0]
					at := harness.Place{File: top.Source.Path, Line: top.Line}
					hit[at] = true
					for _, f := range stop.Frames {
						if strings.HasPrefix(f.Source.Path, "/proc/self/") || strings.Contains(f.Source.Path, "/sandbox/") {
							t.Errorf("a frame shows the path %s", f.Source.Path)
						}
					}
					switch at {
					case header:
						name, _, _ := strings.Cut(stop.Frames[1].Name, "(")
						callers[name] = true
					case kinds["source of the workspace"]:
						locals = local(c, stop, "parts")
					}
					if at != last {
						c.Step("continue", stop)
					}
				}
				c.End()
				for kind, place := range kinds {
					if !hit[place] {
						t.Errorf("%s: not stopped at %s:%d", kind, place.File, place.Line)
					}
				}
				// The function is compiled where Bazel compiles and by the library's own
				// build: one breakpoint, every place.
				for _, caller := range []string{"Istio::MetadataExchange::Plugin::Plugin", "ticks_per_hour", "ticks_rate"} {
					if !callers[caller] {
						t.Errorf("the breakpoint in %s was hit from %v, not from %s", filepath.Base(header.File), callers, caller)
					}
				}
				if locals == "" {
					t.Error("the variable parts of the workspace's source cannot be read")
				}
			})
		})
	}
}

// TestAFileThatIsNotWhatWasCompiledIsTold: clang writes checksums, except for
// units that include a system header such as libstdc++'s; so it is a C file.
func TestAFileThatIsNotWhatWasCompiledIsTold(t *testing.T) {
	w := built(t, "clang")
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		ticks := w.kinds(t)["library's own build, in the sandbox"]
		edited := filepath.Join(s.Dir, "src/ticks.c")
		content, err := os.ReadFile(ticks.File)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(edited), 0o755)
		}
		if err == nil {
			err = os.WriteFile(edited, append(content, "// edited\n"...), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		// The user's entries win, and lead to the edited file.
		var entries [][]string
		for _, root := range roots(t, s, w.program) {
			entries = append(entries, []string{root + "/external/com_github_sample_ticks/src", filepath.Dir(edited)})
		}
		c := s.Start()
		c.Initialize()
		c.Attach(s.Of(w.program).With("sourceMap", entries))
		ticks.File = edited
		c.Configure(ticks)

		stop := c.Stopped(0)
		if stop.Frames[0].Source.Path != edited {
			t.Errorf("stopped at %s", stop.Frames[0].Source.Path)
		}
		c.Output("[ED1405]")
		c.Step("next", stop)
		c.Stopped(stop.Index + 1)
		c.End()

		told, sums := 0, 0
		for _, e := range c.Log() {
			if text := e.Get("body.output").String(); e.Name == "output" && strings.Contains(text, "[ED1405]") {
				told++
				if !strings.Contains(text, edited) {
					t.Errorf("told of another file: %s", text)
				}
			}
			if e.Name == "stackTrace" && e.Get("body.stackFrames.0.source.checksums.0.algorithm").String() == "MD5" {
				sums++
			}
		}
		if told != 1 || sums == 0 {
			t.Errorf("told %d times, want once; %d stacks with checksums, want some", told, sums)
		}
	})
}

// sourceReport is what `envoydbg sourcemap --json` says.
type sourceReport struct {
	WorkTree, OutputBase string
	Mapped               map[string]int
	Roots                []struct{ Path string }
	Unmapped             []struct{ Path string }
	OtherConfiguration   []struct{ Path, Local string }
}

// sourcesOf runs `envoydbg sourcemap` in a folder.
func sourcesOf(t *testing.T, dir string, env []string, args ...string) sourceReport {
	t.Helper()
	cmd := exec.Command(harness.The.Envoydbg, append([]string{"sourcemap", "--json"}, args...)...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("envoydbg sourcemap: %v", err)
	}
	var report sourceReport
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Unmapped) > 0 {
		t.Errorf("not found: %v", report.Unmapped)
	}
	return report
}

// roots are the execution roots in a program.
func roots(t *testing.T, s *harness.Story, program string) []string {
	t.Helper()
	var paths []string
	for _, r := range sourcesOf(t, "", s.Env(), program).Roots {
		paths = append(paths, r.Path)
	}
	return paths
}

// TestTheSourcesAreTheSameWhateverTheProgramIsCalled: through bazel-bin, through a
// link to the work tree, by its real path; and wherever one stands.
func TestTheSourcesAreTheSameWhateverTheProgramIsCalled(t *testing.T) {
	for _, variant := range []string{"gcc", "relative", "sibling"} {
		w := built(t, variant)
		env := append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir())
		want := sourcesOf(t, "/", env, w.program)
		if want.WorkTree != w.root || want.OutputBase != w.outputBase {
			t.Errorf("%s: work tree %s, output base %s", variant, want.WorkTree, want.OutputBase)
		}
		real, err := filepath.EvalSymlinks(w.program)
		if err != nil {
			t.Fatal(err)
		}
		alias := filepath.Join(t.TempDir(), "alias")
		if err := os.Symlink(w.root, alias); err != nil {
			t.Fatal(err)
		}
		for program, tree := range map[string]string{w.program: w.root, real: w.root, filepath.Join(alias, "bazel-bin/envoy"): alias} {
			for _, dir := range []string{"/", w.root, filepath.Join(w.root, "extensions")} {
				got := sourcesOf(t, dir, env, program)
				if got.WorkTree != tree || got.OutputBase != want.OutputBase || !maps.Equal(got.Mapped, want.Mapped) {
					t.Errorf("%s: %s in %s: %+v, want %+v", variant, program, dir, got, want)
				}
			}
		}
	}
}

// TestGeneratedFilesOfAnotherConfigurationAreSaid: the program was built with
// -c opt elsewhere, here there are outputs of -c dbg.
func TestGeneratedFilesOfAnotherConfigurationAreSaid(t *testing.T) {
	w := built(t, "gcc")
	out, program := w.tree+"-opt", filepath.Join(t.TempDir(), "envoy") // kept like the variants
	if text, err := exec.Command(filepath.Join(harness.The.Root, "test/bazel/build.sh"), "gcc", out, "--compilation_mode=opt").CombinedOutput(); err != nil {
		t.Fatalf("build.sh: %v\n%s", err, text)
	}
	content, err := os.ReadFile(filepath.Join(out, "bazel/istio_proxy/bazel-bin/envoy"))
	if err == nil {
		err = os.WriteFile(program, content, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	report := sourcesOf(t, "/", append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir()), program, "--work-tree", w.root)
	said := map[string]string{}
	for _, f := range report.OtherConfiguration {
		said[filepath.Base(f.Path)] = f.Local
	}
	for name, folder := range map[string]string{"build_info.cc": "/bazel-out/k8-dbg/", "legacy_flags.cc": "/bazel-out/k8-dbg-ST-"} {
		if !strings.HasPrefix(said[name], w.outputBase) || !strings.Contains(said[name], folder) {
			t.Errorf("%s is said to be %q, want it in %s", name, said[name], folder)
		}
	}
	// Link farms of either configuration lead to the same source.
	if _, ok := said["node.h"]; ok {
		t.Errorf("node.h counts as generated: %s", said["node.h"])
	}
}

// TestConditionsLogPointsAndColumnsGoWithThePath: they are the debugger's, and
// come with the path that was put in.
func TestConditionsLogPointsAndColumnsGoWithThePath(t *testing.T) {
	w := built(t, "gcc")
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		kinds := w.kinds(t)
		header, crc, last := kinds["external header, several names"], kinds["library's own build, copy of sources"], kinds["source of an external repository"]
		c := s.Start()
		c.Initialize()
		c.Attach(s.Of(w.program))
		c.Seen(0, "initialized")
		set := func(file string, breakpoint map[string]any) {
			t.Helper()
			var answer struct{ Breakpoints []struct{ Verified bool } }
			c.Do("setBreakpoints", map[string]any{"source": map[string]string{"path": file}, "breakpoints": []any{breakpoint}}, &answer)
			if len(answer.Breakpoints) != 1 || !answer.Breakpoints[0].Verified {
				t.Errorf("%s: %+v", file, answer)
			}
		}
		// Only the call from the workspace's source has this span.
		set(header.File, map[string]any{"line": header.Line, "condition": "span == 1500"})
		set(crc.File, map[string]any{"line": crc.Line, "logMessage": "the sum of {length} bytes"})
		set(last.File, map[string]any{"line": last.Line, "column": 16})
		c.Do("configurationDone", nil, nil)

		stop := c.Stopped(0)
		if stop.Frames[0].Source.Path != header.File || !strings.HasPrefix(stop.Frames[1].Name, "Istio::MetadataExchange::Plugin") {
			t.Errorf("stopped in %s, called by %s", stop.Frames[0].Source.Path, stop.Frames[1].Name)
		}
		c.Step("continue", stop)
		next := c.Stopped(stop.Index + 1)
		if next.Frames[0].Source.Path != last.File || next.Frames[0].Line != last.Line {
			t.Errorf("stopped at %s:%d, want main", next.Frames[0].Source.Path, next.Frames[0].Line)
		}
		c.Output("the sum of ")
		c.End()
	})
}

// TestEveryMessageShowsLocalPaths: whatever an editor asks for at a stop, no path
// of the debug information comes back.
func TestEveryMessageShowsLocalPaths(t *testing.T) {
	w := built(t, "gcc")
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		plugin := w.kinds(t)["source of the workspace"]
		c := s.Start()
		c.Initialize()
		c.Attach(s.Of(w.program))
		c.Configure(plugin)
		stop := c.Stopped(0)

		var modules struct{ Modules []struct{ ID string } }
		c.Do("modules", map[string]any{}, &modules)
		c.Do("compileUnits", map[string]any{"moduleId": modules.Modules[0].ID}, nil)
		c.Do("setFunctionBreakpoints", map[string]any{"breakpoints": []any{map[string]any{"name": "Envoy::MainCommon::main"}}}, nil)
		var frames struct {
			StackFrames []struct {
				PC string `json:"instructionPointerReference"`
			}
		}
		c.Do("stackTrace", map[string]any{"threadId": stop.Thread}, &frames)
		c.Do("disassemble", map[string]any{"memoryReference": frames.StackFrames[0].PC, "instructionCount": 4}, nil)
		var scopes struct {
			Scopes []struct{ VariablesReference int }
		}
		c.Do("scopes", map[string]any{"frameId": stop.Frames[0].ID}, &scopes)
		var locals struct {
			Variables []struct {
				Declaration int `json:"declarationLocationReference"`
			}
		}
		c.Do("variables", map[string]any{"variablesReference": scopes.Scopes[0].VariablesReference}, &locals)
		if s.LLDB.Version >= 22 { // 19 has neither, and dies of them
			var places struct{ Breakpoints []struct{ Line int } }
			c.Do("breakpointLocations", map[string]any{"source": map[string]string{"path": plugin.File}, "line": plugin.Line}, &places)
			if len(places.Breakpoints) == 0 {
				t.Error("no breakpoint locations by the local path")
			}
			for _, v := range locals.Variables {
				if v.Declaration != 0 {
					c.Do("locations", map[string]any{"locationReference": v.Declaration}, nil)
				}
			}
		}
		for _, e := range c.Log() {
			if e.Sent || e.Name == "output" {
				continue
			}
			if raw := string(e.Raw); strings.Contains(raw, "/proc/self/cwd") || strings.Contains(raw, "/sandbox/linux-sandbox/") {
				t.Errorf("%s has a path of the debug information: %s", e.Name, raw)
			}
		}
		c.End()
	})
}
