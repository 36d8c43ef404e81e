package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// tally counts tests by their end.
type tally struct{ passed, failed, skipped int }

// counter reads the output of a suite line by line.
type counter interface {
	// line takes one line and returns what to show for it.
	line(string) string
	// total is asked for once, after the last line.
	total() tally
}

// countSteps reads the lines that the function step of script prints.
func countSteps() counter { return &steps{} }

type steps struct{ tally }

func (s *steps) line(line string) string {
	switch {
	case strings.HasPrefix(line, "STEP pass "):
		s.passed++
	case strings.HasPrefix(line, "STEP fail "):
		s.failed++
	}
	return line
}

func (s *steps) total() tally { return s.tally }

// countNode reads the closing lines of node's reporter "spec". There may be
// several runs in one suite.
func countNode() counter { return &node{} }

type node struct{ tally }

var nodeTotal = regexp.MustCompile(`^ℹ (pass|fail|cancelled|skipped|todo) (\d+)\s*$`)

func (n *node) line(line string) string {
	if match := nodeTotal.FindStringSubmatch(line); match != nil {
		count, _ := strconv.Atoi(match[2]) // digits alone
		switch match[1] {
		case "pass":
			n.passed += count
		case "fail", "cancelled":
			n.failed += count
		default:
			n.skipped += count
		}
	}
	return line
}

func (n *node) total() tally { return n.tally }

// countGo reads the events of go test -json. Only a test without subtests
// counts. A package that fails with no test failing, because it does not
// compile or its process dies, counts as one failed test.
func countGo() counter {
	return &golang{output: map[string]*strings.Builder{}, ends: map[string]string{}, parents: map[string]bool{}}
}

type golang struct {
	output  map[string]*strings.Builder // package or test → what it printed
	ends    map[string]string           // test → pass, fail or skip
	parents map[string]bool             // tests with subtests
	broken  []string                    // packages that failed as a whole
}

// event is one line; the fields are those of `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of the build events
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

func (g *golang) line(line string) string {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		return line // of the go command itself
	}
	name := e.Package
	if e.Test != "" {
		name += " " + e.Test
	}
	switch e.Action {
	case "build-output":
		return e.Output
	case "output":
		if g.output[name] == nil {
			g.output[name] = &strings.Builder{}
		}
		g.output[name].WriteString(e.Output)
	case "run":
		if cut := strings.LastIndex(name, "/"); cut > len(e.Package) {
			g.parents[name[:cut]] = true
		}
	case "pass", "fail", "skip":
		if e.Test != "" {
			return g.testEnded(name, e)
		}
		if e.Action == "skip" {
			return "" // a package without test files
		}
		return g.packageEnded(e)
	}
	return ""
}

func (g *golang) testEnded(name string, e event) string {
	g.ends[name] = e.Action
	if e.Action == "pass" {
		return ""
	}
	return g.printed(name)
}

func (g *golang) packageEnded(e event) string {
	count := 0
	failed := false
	for name, end := range g.ends {
		if strings.HasPrefix(name, e.Package+" ") && !g.parents[name] {
			count++
			failed = failed || end == "fail"
		}
	}
	text := fmt.Sprintf("%-5s %-60s %4d tests %7.1f s\n", e.Action, e.Package, count, e.Elapsed)
	if e.Action == "fail" && !failed {
		g.broken = append(g.broken, e.Package)
		// A test that was running when the process died says why.
		for name := range g.output {
			if strings.HasPrefix(name, e.Package+" ") && g.ends[name] == "" {
				text = g.printed(name) + text
			}
		}
		text = g.printed(e.Package) + text
	}
	return text
}

func (g *golang) printed(name string) string {
	if b := g.output[name]; b != nil {
		return b.String()
	}
	return ""
}

func (g *golang) total() tally {
	t := tally{failed: len(g.broken)}
	for name, end := range g.ends {
		switch {
		case g.parents[name]:
		case end == "pass":
			t.passed++
		case end == "fail":
			t.failed++
		default:
			t.skipped++
		}
	}
	return t
}
