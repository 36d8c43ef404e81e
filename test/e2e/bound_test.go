package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

type breakpoint = map[string]any

// set sets the breakpoints of one file and returns the answer's.
func set(t *testing.T, c *harness.Session, path string, breakpoints ...breakpoint) []gjson.Result {
	t.Helper()
	return asked(t, c, "setBreakpoints", map[string]any{"source": map[string]string{"path": path}, "breakpoints": breakpoints})
}

// setFunctions sets breakpoints by name.
func setFunctions(t *testing.T, c *harness.Session, names ...string) []gjson.Result {
	t.Helper()
	var list []breakpoint
	for _, name := range names {
		list = append(list, breakpoint{"name": name})
	}
	return asked(t, c, "setFunctionBreakpoints", map[string]any{"breakpoints": list})
}

func asked(t *testing.T, c *harness.Session, command string, arguments any) []gjson.Result {
	t.Helper()
	seq, err := c.Send(command, arguments)
	if err != nil {
		t.Fatal(err)
	}
	return c.AnswerTo(seq).Get("body.breakpoints").Array()
}

// why is what the user is told of a breakpoint: "failed: …", "pending: …", or with
// "bound" in front.
func why(b gjson.Result) string {
	if b.Get("verified").Bool() {
		return strings.TrimSpace("bound " + b.Get("message").Str)
	}
	return b.Get("reason").Str + ": " + b.Get("message").Str
}

func isWhy(t *testing.T, what string, b gjson.Result, want string) {
	t.Helper()
	if got := why(b); got != want {
		t.Errorf("%s:\n  %s, want\n  %s", what, got, want)
	}
}

// A file is found by how its path ends, wherever the adapter was started, and what
// does not bind says why before Envoy runs: in the answer, in the console, and in the
// phase.
func TestABreakpointThatIsNotBoundSaysWhy(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample())
		c.Seen(0, "initialized")
		place := serverPlace(s)

		bound := set(t, c, "server/server.cc", breakpoint{"line": place.Line})
		isWhy(t, "a file by its ending", bound[0], "bound")
		if path := bound[0].Get("source.path").Str; path != place.File {
			t.Errorf("it is told to be in %s, want %s", path, place.File)
		}
		// Another name of the same file has breakpoints of its own.
		other := set(t, c, place.File, breakpoint{"line": place.Line + 1})
		isWhy(t, "the same file by its whole path", other[0], "bound")
		isWhy(t, "a name that is no file's", set(t, c, "sever.cc", breakpoint{"line": 44})[0],
			"failed: Nothing is compiled from a file that ends with sever.cc. Nearest: server.cc (line table of envoy.debug).")
		isWhy(t, "half a name", set(t, c, "ver/server.cc", breakpoint{"line": 44})[0],
			"failed: Nothing is compiled from a file that ends with ver/server.cc. Nearest: server/server.cc (line table of envoy.debug).")
		isWhy(t, "an ending of two files", set(t, c, "config.cc", breakpoint{"line": 5})[0],
			"failed: 2 files end with config.cc: router/config.cc, tcp_proxy/config.cc. Write more of the path.")
		isWhy(t, "a line behind the end", set(t, c, "worker.cc", breakpoint{"line": 3000})[0],
			fmt.Sprintf("failed: Line 3000 of worker.cc has no code; the last line that has is %d.", lineOf(s, "source/server/worker.cc", "} // namespace Server")-2))
		isWhy(t, "a line before the code", set(t, c, "options.cc", breakpoint{"line": 1})[0],
			fmt.Sprintf("failed: Line 1 of options.cc has no code; the next line that has is %d.", firstCode(s)))
		here := filepath.Join(harness.The.Sources, "README.md")
		isWhy(t, "a file here that is not in the program", set(t, c, here, breakpoint{"line": 1})[0],
			"pending: Nothing is compiled from "+here+". A library that is loaded later may have it.")
		functions := setFunctions(t, c, "InstanceImpl::initialise", "epoll_create1", "Envoy::MainCommon::main")
		isWhy(t, "no function", functions[0], "failed: envoy.debug has no function InstanceImpl::initialise. Nearest: Envoy::Server::InstanceImpl::initialize.")
		isWhy(t, "a function of libc", functions[1], "pending: It is in libc.so.6, which is not loaded yet.")
		isWhy(t, "a function", functions[2], "bound")
		c.Do("configurationDone", nil, nil)

		summary := c.Output("[ED1412]")
		stop := c.Stopped(0)
		if summary.Index > stop.Index || summary.Get("body.category").Str != "important" {
			t.Errorf("the summary is event %d, the stop %d", summary.Index, stop.Index)
		}
		text := summary.Get("body.output").Str
		for _, part := range []string{"3 of 11 breakpoints are bound.\n", "\n  sever.cc:44: Nothing is compiled", "\n  worker.cc:3000: Line 3000",
			"\n  InstanceImpl::initialise: envoy.debug has no function", "\n  epoll_create1 is pending: It is in libc.so.6"} {
			if !strings.Contains(text, part) {
				t.Errorf("the summary does not have %q:\n%s", part, text)
			}
		}
		if d := c.Phase("breakpoints", "end").Get("body.detail").Str; !strings.HasPrefix(d, "3 of 11 verified; not bound: sever.cc:44, server.cc:44, config.cc:5, worker.cc:3000, options.cc:1, InstanceImpl::initialise; pending: README.md:1, epoll_create1") {
			t.Errorf("the phase says %q", d)
		}

		// libc is loaded by now: what was pending is bound, under its own number, and
		// nothing is said of it any more.
		event := c.Until(0, "the event of epoll_create1", func(e client.Entry) bool {
			b := e.Get("body.breakpoint")
			return e.Name == "breakpoint" && b.Get("id").Int() == functions[1].Get("id").Int() && b.Get("verified").Bool()
		})
		if b := event.Get("body.breakpoint"); b.Get("message").Exists() || b.Get("reason").Exists() {
			t.Errorf("the event still says why: %s", b.Raw)
		}
		at(t, stop, "Envoy::MainCommon::main", mainPlace(s))
		c.Step("continue", stop)
		if stop = c.Stopped(stop.Index + 1); stop.Frames[0].Name != "epoll_create1" || len(stop.HitBreakpoints) != 1 || int64(stop.HitBreakpoints[0]) != functions[1].Get("id").Int() {
			t.Errorf("stopped in %v at the breakpoints %v, want epoll_create1", names(stop), stop.HitBreakpoints)
		}
		c.Step("continue", stop)
		stop = c.Stopped(stop.Index + 1)
		at(t, stop, "Envoy::Server::InstanceImpl::initialize", place)
		if len(stop.HitBreakpoints) != 1 || int64(stop.HitBreakpoints[0]) != bound[0].Get("id").Int() {
			t.Errorf("the stop is at the breakpoints %v, want %s", stop.HitBreakpoints, bound[0].Get("id").Raw)
		}
		c.Step("continue", stop)
		stop = c.Stopped(stop.Index + 1)
		if len(stop.HitBreakpoints) != 1 || int64(stop.HitBreakpoints[0]) != other[0].Get("id").Int() {
			t.Errorf("the stop is at the breakpoints %v, want %s", stop.HitBreakpoints, other[0].Get("id").Raw)
		}
		c.Disconnect()
	})
}

func lineOf(s *harness.Story, file, text string) int {
	_, line := s.Line(file, text)
	return line
}

// firstCode is the first line of options.cc that has code.
func firstCode(s *harness.Story) int {
	return lineOf(s, "source/server/options.cc", "(")
}

// What is set later is told at once, and once.
func TestABreakpointThatIsSetAtAStopSaysWhy(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample())
		c.Configure(mainPlace(s))
		stop := c.Stopped(0)
		for range 3 { // an editor sends all of a file again for each change
			isWhy(t, "no file", set(t, c, "sever.cc", breakpoint{"line": 44})[0],
				"failed: Nothing is compiled from a file that ends with sever.cc. Nearest: server.cc (line table of envoy.debug).")
		}
		hits := set(t, c, "server.cc", breakpoint{"line": serverPlace(s).Line, "hitCondition": ">= 2"})
		isWhy(t, "a hit condition that LLDB ignores", hits[0],
			`bound The hit condition ">= 2" is ignored: LLDB takes a number alone, that of the first hit that stops.`)
		told := c.Output("[ED1413]").Get("body.output").Str
		if !strings.HasPrefix(told, "The breakpoint sever.cc:44 is not bound.\n  Nothing is compiled from") {
			t.Errorf("the console says %s", told)
		}
		c.Output("[ED1414]")
		n := 0
		for _, e := range c.Events("output") {
			n += strings.Count(e.Get("body.output").Str, "[ED1413]")
		}
		if n != 1 {
			t.Errorf("the console says %d times that it is not bound, want once", n)
		}
		c.Step("continue", stop)
		at(t, c.Stopped(stop.Index+1), "Envoy::Server::InstanceImpl::initialize", serverPlace(s)) // at the first hit
		c.Disconnect()
	})
}

// VS Code puts a log point at column 1, where no code begins.
func TestAColumnWithoutCodeStandsForItsLine(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample())
		c.Seen(0, "initialized")
		place := serverPlace(s)
		logpoint := breakpoint{"line": place.Line, "column": 1, "logMessage": "hello from initialize"}
		stop := breakpoint{"line": place.Line + 1, "column": 2}
		first := set(t, c, place.File, logpoint, stop)
		isWhy(t, "a log point", first[0], "bound No code begins at or before column 1, so it is set for the whole line.")
		isWhy(t, "another column", first[1], "bound No code begins at or before column 2, so it is set for the whole line.")
		again := set(t, c, place.File, logpoint, stop)
		for i := range again {
			if again[i].Get("id").Int() != first[i].Get("id").Int() {
				t.Errorf("set again, breakpoint %s is %s", first[i].Get("id").Raw, again[i].Get("id").Raw)
			}
		}
		c.Do("configurationDone", nil, nil)
		stopped := c.Stopped(0)
		at(t, stopped, "Envoy::Server::InstanceImpl::initialize", harness.Place{File: place.File, Line: place.Line + 1})
		if len(stopped.HitBreakpoints) != 1 || int64(stopped.HitBreakpoints[0]) != first[1].Get("id").Int() {
			t.Errorf("the stop is at the breakpoints %v, want %s", stopped.HitBreakpoints, first[1].Get("id").Raw)
		}
		if said := c.Output("hello from initialize"); said.Index > stopped.Index {
			t.Error("the log point has logged after the stop behind it")
		}
		if d := c.Phase("breakpoints", "end").Get("body.detail").Str; d != "2 of 2 verified" {
			t.Errorf("the phase says %q", d)
		}
		c.Disconnect()
	})
}

// A log point in a line with a breakpoint: LLDB 22 does both, 19 cannot and says so.
func TestABreakpointAndALogPointInOneLine(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.Sample())
		c.Seen(0, "initialized")
		place := serverPlace(s)
		b := set(t, c, place.File, breakpoint{"line": place.Line}, breakpoint{"line": place.Line, "column": 1, "logMessage": "hello from initialize"},
			breakpoint{"line": place.Line + 1})
		c.Do("configurationDone", nil, nil)
		stop := c.Stopped(0)
		c.Output("hello from initialize")
		if s.LLDB.Version == 19 {
			isWhy(t, "the breakpoint", b[0], "bound LLDB takes it and another breakpoint of this line for one, and does what the other says.")
			c.Output("[ED1415]")
			place.Line++
		} else {
			isWhy(t, "the breakpoint", b[0], "bound")
		}
		at(t, stop, "Envoy::Server::InstanceImpl::initialize", place)
		c.Disconnect()
	})
}

// A stripped Envoy says that this is the reason, and libc's functions bind all the
// same.
func TestInAStrippedEnvoyThatIsTheReason(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Attach(s.RealEnvoy().With("breakpointPresets", []string{"syscalls"}))
		c.Seen(0, "initialized")
		isWhy(t, "a line", set(t, c, "server.cc", breakpoint{"line": 44})[0],
			"failed: envoy has no line tables: no file and line of it can be found.")
		functions := setFunctions(t, c, "Envoy::Server::InstanceImpl::initialize", "epoll_create1")
		isWhy(t, "a function", functions[0], "failed: envoy has no symbols: no function of it can be found by its name.")
		isWhy(t, "a function of libc", functions[1], "pending: It is in libc.so.6, which is not loaded yet.")
		c.Do("configurationDone", nil, nil)
		text := c.Output("[ED1412]").Get("body.output").Str
		for _, part := range []string{"0 of 4 breakpoints are bound.", "\n  server.cc:44: envoy has no line tables", "\n  preset syscalls: it has found no place to stop."} {
			if !strings.Contains(text, part) {
				t.Errorf("the summary does not have %q:\n%s", part, text)
			}
		}
		if stop := c.Stopped(0); stop.Frames[0].Name != "epoll_create1" {
			t.Errorf("stopped in %v, want epoll_create1", names(stop))
		}
		c.Disconnect()
	})
}

// A file of a library that the program is linked with is pending, and binds when the
// library is loaded.
func TestAFileOfALibraryIsPendingUntilItIsLoaded(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		sources := filepath.Join(programs(), "library")
		library := compile(s, sources, "libanswer.so", "-shared", "-fPIC", "-Wl,-soname,libanswer.so", "answer.cc")
		program := compile(s, sources, "library", "main.cc", library, "-Wl,-rpath,$ORIGIN")
		c := s.Start()
		c.Initialize()
		c.Attach(s.Of(program))
		c.Seen(0, "initialized")
		file := filepath.Join(sources, "answer.cc")
		b := set(t, c, file, breakpoint{"line": 2})[0]
		isWhy(t, "a file of a library", b, "pending: It is in libanswer.so, which is not loaded yet.")
		isWhy(t, "by its ending", set(t, c, "library/answer.cc", breakpoint{"line": 2})[0], "pending: It is in libanswer.so, which is not loaded yet.")
		c.Do("configurationDone", nil, nil)
		if c.Output("0 of 2 breakpoints are bound.").Get("body.category").Str != "console" {
			t.Error("what is pending is told as a warning")
		}
		stop := c.Stopped(0)
		if top := stop.Frames[0]; top.Source.Path != file || top.Line != 2 {
			t.Errorf("stopped at %s:%d, want %s:2", top.Source.Path, top.Line, file)
		}
		c.Disconnect()
	})
}

// In a Bazel build a file is found by its ending in whatever root it was compiled, also
// one that has several paths there.
func TestFilesOfABazelBuildAreFoundByTheirEnding(t *testing.T) {
	w := built(t, "gcc")
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		kinds := w.kinds(t)
		c := s.Start()
		c.Initialize()
		c.Attach(s.Of(w.program))
		c.Seen(0, "initialized")
		for kind, ending := range map[string]string{
			"source of the workspace":             "metadata_exchange/plugin.cc",
			"source of an external repository":    "main_common.cc",
			"generated source":                    "build_info.cc",
			"generated after a transition":        "common/legacy_flags.cc",
			"external header, several names":      "ticks/ticks.h",
			"library's own build, in the sandbox": "ticks.c",
		} {
			place := kinds[kind]
			b := set(t, c, ending, breakpoint{"line": place.Line})[0]
			if isWhy(t, kind, b, "bound"); filepath.Base(b.Get("source.path").Str) != filepath.Base(place.File) || !filepath.IsAbs(b.Get("source.path").Str) {
				t.Errorf("%s: it is in %s, want %s", kind, b.Get("source.path").Str, place.File)
			}
		}
		c.Do("configurationDone", nil, nil)
		if d := c.Phase("breakpoints", "end").Get("body.detail").Str; d != "6 of 6 verified" {
			t.Errorf("the phase says %q", d)
		}
		c.Stopped(0)
		c.Disconnect()
	})
}

// A plain session has the same, as far as it has a source map: here that of a debug file
// in a folder that LLDB is told.
func TestAPlainSessionSaysWhy(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		program := compile(s, programs(), "plain", "linkage.cc")
		debug := filepath.Join(t.TempDir(), "plain.debug")
		run(s, s.Dir, "objcopy", "--only-keep-debug", program, debug)
		run(s, s.Dir, "objcopy", "--strip-all", "--add-gnu-debuglink="+debug, program)
		c := s.Start()
		c.Initialize()
		c.Launch(harness.Attributes{"program": program, "initCommands": []string{"settings set target.debug-file-search-paths " + filepath.Dir(debug)}})
		c.Seen(0, "initialized")
		isWhy(t, "a file by its ending", set(t, c, "linkage.cc", breakpoint{"line": 6})[0], "bound")
		isWhy(t, "no file", set(t, c, "linkge.cc", breakpoint{"line": 1})[0],
			"failed: Nothing is compiled from a file that ends with linkge.cc. Nearest: linkage.cc (line table of plain).")
		isWhy(t, "no function", setFunctions(t, c, "mian")[0], "failed: plain has no function mian. Nearest: main.")
		c.Output("[ED1413]")
		c.Do("configurationDone", nil, nil)
		c.Stopped(0)
		c.Disconnect()
	})
}
