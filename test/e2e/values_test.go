package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// toolchains are the compilers and standard libraries that Envoy is built with. cannot
// has what an LLDB is known to show in place of a value, by its version and the name of
// the variable; docs/lldb.md lists the same.
var toolchains = []struct {
	name   string
	build  []string
	cannot map[int]map[string]string
}{
	{"gcc, libstdc++", []string{"g++"}, map[int]map[string]string{
		19: {"hashed": "", "hashed_words": ""},
	}},
	{"clang, libstdc++", []string{"clang++-19"}, map[int]map[string]string{
		19: every("error: summary string parsing error", "short_string", "long_string", "empty_string"),
		22: {
			"short_string": unavailable, "long_string": unavailable, "empty_string": unavailable,
			"words":         unavailable + " " + unavailable,
			"ordered_words": unavailable + " 1 " + unavailable + " 2",
			"hashed_words":  unavailable + " 4 " + unavailable + " 3",
		},
	}},
	{"clang -fstandalone-debug, libstdc++", []string{"clang++-19", "-fstandalone-debug"}, nil},
	{"clang, libc++", []string{"clang++-19", "-stdlib=libc++"}, nil},
}

const unavailable = "Summary Unavailable"

func every(value string, names ...string) map[string]string {
	out := map[string]string{}
	for _, name := range names {
		out[name] = value
	}
	return out
}

// The program prints its values, and the debugger reads the same in its variables.
func TestTheValuesOfCPlusPlusAreReadable(t *testing.T) {
	for _, tool := range toolchains {
		t.Run(tool.name, func(t *testing.T) {
			program, stop := valuesProgram(t, tool.build...)
			harness.Each(t, func(t *testing.T, s *harness.Story) {
				c := s.Start()
				c.Initialize()
				c.Attach(s.Of(program))
				c.Configure(stop)
				frame := c.Stopped(0).Frames[0].ID
				printed := printedValues(c)
				shown := shownValues(t, c, frame)
				for name, value := range printed {
					if cannot, known := tool.cannot[s.LLDB.Version][name]; known {
						value = cannot
					}
					if shown[name] != value {
						t.Errorf("%s is shown as %q, want %q", name, shown[name], value)
					}
				}
				c.Disconnect()
				if told := pythonWarnings(c); len(told) > 0 {
					t.Errorf("warned of an LLDB whose Python works: %v", told)
				}
			})
		})
	}
}

// An LLDB without its Python module cannot show most values of libstdc++. It says so
// once, also in a session without a startup.
func TestAnLLDBWithoutPythonIsTold(t *testing.T) {
	program, stop := valuesProgram(t, "g++")
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		dap := withoutPython(s)
		for name, begin := range map[string]func(c *harness.Session){
			"startup": func(c *harness.Session) {
				c.Attach(s.Of(program))
			},
			// With a prefix of the user's own for commands.
			"plain": func(c *harness.Session) {
				c.Launch(harness.Attributes{"program": program, "commandEscapePrefix": ":"})
			},
		} {
			c := s.Start("--lldb-dap", dap)
			c.Initialize()
			begin(c)
			c.Configure(stop)
			frame := c.Stopped(0).Frames[0].ID
			text := c.Output("[ED1420]").Get("body.output").Str
			for _, part := range []string{dap, "no module here", fmt.Sprintf("python3-lldb-%d", s.LLDB.Version)} {
				if !strings.Contains(text, part) {
					t.Errorf("%s: the warning lacks %q: %s", name, part, text)
				}
			}
			for _, v := range locals(c, frame) {
				if v.Name == "numbers" && v.Value == "size=3" {
					t.Errorf("%s: a vector is shown as %q, in spite of the warning", name, v.Value)
				}
			}
			c.Do("disconnect", map[string]bool{"terminateDebuggee": true}, nil)
			c.End()
			if told := pythonWarnings(c); len(told) != 1 {
				t.Errorf("%s: told %d times: %v", name, len(told), told)
			}
		}
	})
}

var liblldb = regexp.MustCompile(`(liblldb\S*) => (\S+)`)

// withoutPython copies the story's LLDB, with a Python module that cannot be imported
// where the copy looks for it, and returns the path of lldb-dap.
func withoutPython(s *harness.Story) string {
	s.T.Helper()
	out, err := exec.Command("ldd", s.LLDB.DAP).Output()
	lib := liblldb.FindSubmatch(out)
	if err != nil || lib == nil {
		s.T.Fatalf("ldd %s: %v\n%s", s.LLDB.DAP, err, out)
	}
	to := filepath.Join(s.Dir, "lldb-without-python")
	bin := filepath.Dir(s.LLDB.DAP)
	programs, err := filepath.Glob(filepath.Join(bin, "lldb-server*"))
	if err != nil {
		s.T.Fatal(err)
	}
	programs = append(programs, filepath.Join(bin, "lldb"), s.LLDB.DAP)
	run(s, s.Dir, "install", append([]string{"-Dt", filepath.Join(to, "bin")}, programs...)...)
	// The programs look for it beside themselves first.
	run(s, s.Dir, "install", "-D", string(lib[2]), filepath.Join(to, "lib", string(lib[1])))
	out, err = exec.Command(filepath.Join(to, "bin/lldb"), "-P").Output()
	packages := strings.TrimSpace(string(out))
	if err != nil || !strings.HasPrefix(packages, to) {
		s.T.Fatalf("the copy of LLDB looks for its Python in %q, %v", packages, err)
	}
	module := filepath.Join(packages, "lldb")
	if err = os.MkdirAll(module, 0o755); err == nil {
		err = os.WriteFile(filepath.Join(module, "__init__.py"), []byte("raise ImportError('no module here')\n"), 0o644)
	}
	if err != nil {
		s.T.Fatal(err)
	}
	return filepath.Join(to, "bin/lldb-dap")
}

// pythonWarnings are the session's warnings of an LLDB without Python.
func pythonWarnings(c *harness.Session) (told []string) {
	for _, e := range c.Events("output") {
		if text := e.Get("body.output").Str; strings.Contains(text, "[ED1420]") {
			told = append(told, text)
		}
	}
	return told
}

// valuesProgram builds the program and returns its path, and the line behind all of its
// values.
func valuesProgram(t *testing.T, compiler ...string) (string, harness.Place) {
	t.Helper()
	source := filepath.Join(harness.The.Sources, "values/values.cc")
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(text), "// the stop")
	if !found {
		t.Fatalf("%s does not say where to stop", source)
	}
	program := filepath.Join(t.TempDir(), "values")
	cmd := exec.Command(compiler[0], append(compiler[1:], "-std=c++17", "-g", "-O0", "-static-libstdc++", "-Wl,--build-id", source, "-o", program)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return program, harness.Place{File: source, Line: strings.Count(before, "\n") + 1}
}

var printedValue = regexp.MustCompile(`(?m)value of (\w+): ?(.*?)\r?$`)

// printedValues are those that the program has printed, by the variables' names. The last
// one comes last.
func printedValues(c *harness.Session) map[string]string {
	c.Output("value of shared: 13\n")
	var all strings.Builder
	for _, e := range c.Events("output") {
		all.WriteString(e.Get("body.output").Str)
	}
	out := map[string]string{}
	for _, m := range printedValue.FindAllStringSubmatch(all.String(), -1) {
		out[m[1]] = m[2]
	}
	return out
}

// variable is DAP's.
type variable struct {
	Name, Value, Type  string
	VariablesReference int
}

// shownValues are a frame's locals as the editor shows them, in the program's notation:
// the plain values in a value, in order.
func shownValues(t *testing.T, c *harness.Session, frame int) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, v := range locals(c, frame) {
		out[v.Name] = strings.Join(leaves(t, c, v, 3), " ")
	}
	return out
}

func locals(c *harness.Session, frame int) []variable {
	var scopes struct{ Scopes []variable }
	c.Do("scopes", map[string]int{"frameId": frame}, &scopes)
	return children(c, scopes.Scopes[0])
}

func children(c *harness.Session, v variable) []variable {
	var inside struct{ Variables []variable }
	if v.VariablesReference != 0 {
		c.Do("variables", map[string]int{"variablesReference": v.VariablesReference}, &inside)
	}
	return inside.Variables
}

var plainNumber = regexp.MustCompile(`^-?[0-9.]+$`)

// leaves are the plain values in a variable: numbers and strings. Without a formatter a
// map has the nodes of its tree, each with its parent: so no deeper than a value is.
func leaves(t *testing.T, c *harness.Session, v variable, depth int) []string {
	t.Helper()
	if strings.Contains(v.Type, "string") && !strings.Contains(v.Type, "<std::") && !strings.Contains(v.Type, "pair") {
		return []string{v.Value}
	}
	if depth == 0 {
		return []string{"…"}
	}
	inside := children(c, v)
	if len(inside) == 0 && plainNumber.MatchString(v.Value) {
		return []string{v.Value}
	}
	var size int
	if n, _ := fmt.Sscanf(v.Value, "size=%d", &size); n == 1 && size != len(inside) {
		t.Errorf("%s says %s and has %d elements", v.Name, v.Value, len(inside))
	}
	var out []string
	for _, element := range inside {
		out = append(out, leaves(t, c, element, depth-1)...)
	}
	return out
}
