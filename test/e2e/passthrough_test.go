package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/harness"
	"github.com/envoydbg/envoydbg/test/support/platform"
)

// plain are the attributes of a launch that has nothing of ours.
func plain() harness.Attributes {
	return harness.Attributes{"program": harness.The.SampleDebug, "sourceMap": [][]string{{"/proc/self/cwd", harness.The.Sources}}}
}

var otherLanguages = regexp.MustCompile(`,\{[^{}]*"filter":"(?:objc|swift)_[^{}]*\}`)

// Without "target" the adapter is not there: the answers are lldb-dap's own, to
// the byte, apart from the numbers of the messages.
func TestAPlainSessionIsLLDBDapsToTheByte(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		direct := answers(t, s, s.StartCommand("", s.LLDB.DAP))
		through := answers(t, s, s.Start())
		for name, want := range direct {
			got := through[name]
			if name == "initialize" {
				// The adapter answers cancel where lldb-dap does not, and does not offer the
				// exceptions of other languages.
				want = otherLanguages.ReplaceAllString(want, "")
				got = strings.Replace(got, `"supportsCancelRequest":true`, "", 1)
				want = strings.Replace(want, `"supportsCancelRequest":true`, "", 1)
				got, want = strings.ReplaceAll(got, ",}", "}"), strings.ReplaceAll(want, ",}", "}")
				got, want = strings.ReplaceAll(got, ",,", ","), strings.ReplaceAll(want, ",,", ",")
			}
			if name == "setFunctionBreakpoints" {
				// It says why one is not bound.
				got = strings.Replace(got, `,"reason":"failed","message":"envoy.debug has no function nowhere."`, "", 1)
			}
			if got != want {
				t.Errorf("%s differs:\n  direct   %s\n  through  %s", name, want, got)
			}
		}
		if len(direct) < 10 {
			t.Errorf("only %d answers were compared", len(direct))
		}
	})
}

// answers runs one session to the first stop in main and asks for what an
// editor asks there.
func answers(t *testing.T, s *harness.Story, c *harness.Session) map[string]string {
	t.Helper()
	out := map[string]string{}
	pid := ""
	ask := func(name, command string, arguments any) {
		seq, err := c.Send(command, arguments)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = neutral(string(c.AnswerTo(seq).Raw), pid)
	}
	out["initialize"] = neutral(string(c.Initialize().Raw), "")
	c.Launch(plain())
	c.Configure(mainPlace(s))
	stop := c.Stopped(0)
	pid = strconv.Itoa(stop.Thread)
	frame := stop.Frames[0].ID
	ask("threads", "threads", nil)
	ask("stackTrace", "stackTrace", map[string]any{"threadId": stop.Thread, "startFrame": 0, "levels": 20, "unknown": map[string]int{"x": 1}})
	ask("scopes", "scopes", map[string]int{"frameId": frame})
	ask("variables", "variables", map[string]int{"variablesReference": 1})
	ask("registers", "variables", map[string]int{"variablesReference": 3})
	ask("modules", "modules", map[string]any{})
	ask("evaluate", "evaluate", map[string]any{"expression": "Envoy::main_began + 1", "frameId": frame, "context": "watch"})
	ask("failing evaluate", "evaluate", map[string]any{"expression": "no_such_name", "frameId": frame, "context": "watch"})
	ask("exceptionInfo", "exceptionInfo", map[string]int{"threadId": stop.Thread})
	ask("setFunctionBreakpoints", "setFunctionBreakpoints", map[string]any{"breakpoints": []map[string]string{{"name": "nowhere"}}})
	ask("completions", "completions", map[string]any{"text": "`break", "column": 7, "frameId": frame})
	if s.LLDB.Version > 19 {
		ask("unknown request", "envoydbgNoSuchRequest", map[string]int{"x": 1})
	}
	c.Do("disconnect", map[string]bool{"terminateDebuggee": true}, nil)
	c.End()
	return out
}

var (
	sequence = regexp.MustCompile(`"(request_)?seq":\d+`)
	// The code that LLDB 19 compiles at a stop is named after a file whose path has
	// lldb-dap's process id in it, so the size depends on the number of its digits.
	compiled = regexp.MustCompile(`"debugInfoSize":"\d+B"(,"id":"","name":"__lldb_caller_function")`)
)

// neutral takes out what differs between any two runs.
func neutral(raw, pid string) string {
	raw = sequence.ReplaceAllString(raw, `"${1}seq":N`)
	raw = compiled.ReplaceAllString(raw, `"debugInfoSize":"N"$1`)
	if pid != "" {
		raw = regexp.MustCompile(`\b`+pid+`\b`).ReplaceAllString(raw, "PID")
	}
	return raw
}

// LLDB 19 dies of a request it does not know, so it gets none.
func TestAnUnknownRequestDoesNotKillTheDebugger(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Launch(plain())
		c.Configure(mainPlace(s))
		stop := c.Stopped(0)
		e := c.Refused("envoydbgNoSuchRequest", map[string]int{"x": 1})
		if ours := e.Code == 1401; ours != (s.LLDB.Version == 19) {
			t.Errorf("the answer is ED%d %q", e.Code, e.Text)
		}
		at(t, c.Stopped(stop.Index), "Envoy::MainCommon::main", mainPlace(s))
		c.Disconnect()
	})
}

// What the client writes reaches lldb-dap as it was written.
func TestUnknownFieldsReachTheDebugger(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		c.Launch(plain().With("unknownAttribute", map[string]any{"a": []int{1, 2}, "ä": "\u2028"}))
		c.Configure(mainPlace(s))
		c.Stopped(0)
		c.Disconnect()
		trace, err := os.ReadFile(c.Trace)
		if err != nil {
			t.Fatal(err)
		}
		var from, to string
		for line := range strings.Lines(string(trace)) {
			if _, raw, ok := strings.Cut(line, "{"); ok && strings.Contains(line, `"command":"launch"`) && strings.Contains(line, "unknownAttribute") {
				switch {
				case strings.Contains(line, " client → "):
					from = neutral(raw, "")
				case strings.Contains(line, " lldb-dap → "):
					to = neutral(raw, "")
				}
			}
		}
		if from == "" || from != to {
			t.Errorf("the launch request:\n  from the client  %s\n  to lldb-dap      %s", from, to)
		}
	})
}

// A plain session may use a remote platform of the user's own: what leads LLDB to
// the relay in a startup session is not in its way.
func TestAPlainSessionOnAPlatformOfTheUsers(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		server, err := platform.Start(filepath.Join(filepath.Dir(s.LLDB.DAP), "lldb-server"), s.Dir, s.Env(), 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer server.End()
		c := s.Start()
		c.Initialize()
		c.Launch(plain().With("initCommands", server.Connect()).With("launchCommands", []string{
			"target create --no-dependents --remote-file " + harness.The.Sample + " " + harness.The.SampleDebug,
			"process launch --stop-at-entry",
		}).With("stopOnEntry", true))
		c.Configure()
		if stop := c.Stopped(0); !strings.HasSuffix(stop.Frames[0].Name, "_start") {
			t.Errorf("stopped in %q, not at the entry", stop.Frames[0].Name)
		}
		c.Disconnect()
	})
}

// A program that Bazel built needs no source map in a plain session either.
func TestAPlainSessionFindsTheSourcesOfABazelBuild(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start("--work-tree", harness.The.Sources)
		c.Initialize()
		c.Launch(harness.Attributes{"program": harness.The.SampleDebug})
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		c.Do("disconnect", map[string]bool{"terminateDebuggee": true}, nil)
		c.End()
	})
}

// A core file of a program that Bazel built shows the local sources, too.
func TestACoreFileHasTheSourceMap(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		core := filepath.Join(s.Dir, "core")
		c := s.Start("--work-tree", harness.The.Sources)
		c.Initialize()
		c.Launch(harness.Attributes{"program": harness.The.SampleDebug})
		c.Configure(mainPlace(s))
		c.Stopped(0)
		said := c.Command("process save-core --style full " + core)
		c.Disconnect()
		if _, err := os.Stat(core); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		c = s.Start("--work-tree", harness.The.Sources)
		c.Initialize()
		c.Attach(harness.Attributes{"program": harness.The.SampleDebug, "coreFile": core})
		c.Seen(0, "initialized")
		c.Do("configurationDone", nil, nil)
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		c.End() // LLDB 22 cannot detach from a core file, and says so
	})
}
