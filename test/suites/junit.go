package main

import (
	"encoding/xml"
	"fmt"
	"os"
)

// tally counts tests by their end.
type tally struct{ passed, failed, skipped int }

// testsuite is the part of a JUnit report that the counts need. gotestsum writes
// one testsuite for each package, node one for each test with subtests.
type testsuite struct {
	Suites []testsuite `xml:"testsuite"`
	Cases  []struct {
		Failure *struct{} `xml:"failure"`
		Error   *struct{} `xml:"error"`
		Skipped *struct{} `xml:"skipped"`
	} `xml:"testcase"`
}

// readJUnit counts the tests in the report at path.
func readJUnit(path string) (tally, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return tally{}, err
	}
	var root testsuite
	if err := xml.Unmarshal(b, &root); err != nil {
		return tally{}, fmt.Errorf("%s: %w", path, err)
	}
	var t tally
	root.countInto(&t)
	return t, nil
}

func (s testsuite) countInto(t *tally) {
	for _, c := range s.Cases {
		switch {
		case c.Failure != nil || c.Error != nil:
			t.failed++
		case c.Skipped != nil:
			t.skipped++
		default:
			t.passed++
		}
	}
	for _, inner := range s.Suites {
		inner.countInto(t)
	}
}
