package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
)

// run runs a suite that finds these files in the folder $FILES.
func run(t *testing.T, s suite, files map[string]string) result {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("FILES", dir)
	if s.limit == 0 {
		s.limit = time.Minute
	}
	var output bytes.Buffer
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(output.String())
		}
	})
	return s.run(context.Background(), &output, checkout.Path(t), dir)
}

func TestGoTestsAreCounted(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       tally
		problem    string
	}{
		{"passes", `func TestA(t *testing.T) {}; func TestB(t *testing.T) {}`, tally{passed: 2}, ""},
		{"fails", `func TestA(t *testing.T) { t.Error() }; func TestB(t *testing.T) {}`, tally{passed: 1, failed: 1}, ""},
		{"skips", `func TestA(t *testing.T) { t.Skip() }; func TestB(t *testing.T) {}`, tally{passed: 1, skipped: 1}, "1 skipped"},
		{"has subtests", `func TestA(t *testing.T) { t.Run("one", func(t *testing.T) {}) }`, tally{passed: 2}, ""},
		{"has no test", ``, tally{}, "ran no test"},
		{"does not compile", `func TestA(t *testing.T) { missing() }`, tally{failed: 1}, ""},
		{"dies in a test", `func TestA(t *testing.T) {}; func TestB(t *testing.T) { go panic("oh"); select {} }`, tally{passed: 1, failed: 1}, ""},
		{"ends before its tests", `func TestMain(m *testing.M) { panic("no part") }; func TestA(t *testing.T) {}`, tally{failed: 1}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := suite{name: "some", script: gotestsum + `--raw-command go -C "$FILES" test -json`}
			r := run(t, s, map[string]string{
				"go.mod":    "module some\ngo 1.26\n",
				"a_test.go": "package some\nimport \"testing\"\nvar _ testing.TB\n" + test.text,
			})
			if r.tally != test.want || r.problem != test.problem {
				t.Errorf("%+v and problem %q, want %+v and %q", r.tally, r.problem, test.want, test.problem)
			}
		})
	}
}

func TestNodeTestsAreCounted(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       tally
		problem    string
	}{
		{"passes", `test('a', () => {}); suite('b', () => { test('c', () => {}); });`, tally{passed: 2}, ""},
		{"fails", `test('a', () => { throw new Error('oh'); }); test('b', () => {});`, tally{passed: 1, failed: 1}, ""},
		{"skips", `test.skip('a', () => {}); test('b', () => {});`, tally{passed: 1, skipped: 1}, "1 skipped"},
		{"does not parse", `)`, tally{failed: 1}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := suite{name: "some", script: `node --test --test-reporter=junit --test-reporter-destination="$JUNIT" "$FILES/a.mjs"`}
			r := run(t, s, map[string]string{"a.mjs": "import { suite, test } from 'node:test';\n" + test.text})
			if r.tally != test.want || r.problem != test.problem {
				t.Errorf("%+v and problem %q, want %+v and %q", r.tally, r.problem, test.want, test.problem)
			}
		})
	}
}

func TestASuiteThatCouldNotRunHasFailed(t *testing.T) {
	const report = `echo '<testsuites><testcase name="a"/></testsuites>' >"$JUNIT"; `
	for _, test := range []struct {
		script  script
		checks  bool
		problem string // a part of it
	}{
		{script: report, problem: ""},
		{script: report + "exit 3", problem: "exit status 3"},
		{script: report + "sleep 60", problem: "not done after 300ms"},
		{script: "true", problem: "open "}, // the report of an earlier run does not count
		{script: `: >"$JUNIT"`, problem: "some.xml: EOF"},
		{script: "true", checks: true, problem: ""},
		{script: "false; true", checks: true, problem: "exit status 1"},
	} {
		s := suite{name: "some", checks: test.checks, script: test.script, limit: 300 * time.Millisecond}
		r := run(t, s, map[string]string{"some.xml": "<testsuites><testcase/></testsuites>"})
		if (r.problem == "") != (test.problem == "") || !strings.Contains(r.problem, test.problem) {
			t.Errorf("%q: problem %q, want %q", test.script, r.problem, test.problem)
		}
	}
}

func TestTheLastLineIsTheTotal(t *testing.T) {
	chosen := []suite{{name: "one"}, {name: "two"}}
	for _, test := range []struct {
		results []result
		want    string
		well    bool
	}{
		{[]result{{tally: tally{passed: 3}}, {tally: tally{passed: 4}}}, "7 passed, 0 failed\n", true},
		{[]result{{tally: tally{passed: 3, failed: 1}}, {tally: tally{passed: 4}}}, "7 passed, 1 failed\n", false},
		{[]result{{tally: tally{passed: 3}}, {problem: "ran no test"}}, "3 passed, 1 failed\n", false},
		{[]result{{tally: tally{passed: 3}}}, "3 passed, 1 failed\n", false},
	} {
		var text strings.Builder
		if well := summary(&text, chosen, test.results, nil); well != test.well || !strings.HasSuffix(text.String(), "\n"+test.want) {
			t.Errorf("%+v: %v and %q, want %v and %q at its end", test.results, well, text.String(), test.well, test.want)
		}
	}
}

func TestWhatIsLeftOutIsTold(t *testing.T) {
	for _, test := range []struct {
		root       bool
		names      []string
		runs, says []string
	}{
		{root: true, runs: []string{"unit", "cluster-core"}, says: []string{"cluster ", "cluster-arm64 ", "cluster-e2e ", "arm64 ", "vscode-cluster "}},
		{root: false, runs: []string{"unit"}, says: []string{"cluster-core ", "cluster ", "cluster-arm64 ", "cluster-e2e ", "arm64 ", "vscode-cluster "}},
		{root: false, names: []string{"cluster-core"}, runs: []string{"cluster-core"}},
	} {
		chosen, left, err := choose(test.names, test.root)
		if err != nil {
			t.Fatal(err)
		}
		var ran []string
		for _, s := range chosen {
			ran = append(ran, s.name)
		}
		for _, name := range test.runs {
			if !slices.Contains(ran, name) {
				t.Errorf("root %v, named %q: %s is not among %q", test.root, test.names, name, ran)
			}
		}
		var text strings.Builder
		summary(&text, nil, nil, left)
		for _, name := range test.says {
			if !strings.Contains(text.String(), "\n"+name) {
				t.Errorf("root %v, named %q: no word of %q in\n%s", test.root, test.names, name, &text)
			}
		}
		if len(left) != len(test.says) {
			t.Errorf("root %v, named %q: %d suites are left out, want %q", test.root, test.names, len(left), test.says)
		}
	}
}

// A suite that names tests would go on without one that has another name now.
func TestTheTestsThatSuitesNameExist(t *testing.T) {
	named, found := regexp.MustCompile(`(\S+) -run '\^\(([^)]+)\)\$'`), 0
	for _, s := range suites {
		for _, m := range named.FindAllStringSubmatch(string(s.script), -1) {
			files, err := filepath.Glob(checkout.Path(t, m[1], "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			var source strings.Builder
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				source.Write(text)
			}
			for _, name := range strings.Split(m[2], "|") {
				found++
				if !strings.Contains(source.String(), "\nfunc "+name+"(t *testing.T)") {
					t.Errorf("%s: %s has no %s", s.name, m[1], name)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no suite names a test")
	}
}
