package trace

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// file is a buffer that can be closed.
type file struct {
	bytes.Buffer
	closed bool
}

func (f *file) Close() error {
	f.closed = true
	return nil
}

// A session learns only from its launch request that it is to be recorded; the record
// begins with its first line nevertheless.
func TestARecordBeginsWithTheFirstLine(t *testing.T) {
	var first bytes.Buffer
	var second file
	tr := New(&first, time.Now())
	tr.Line("session", "early")
	tr.Also(&second)
	tr.Line("session", "late")
	if first.String() != second.String() || strings.Count(second.String(), "\n") != 2 {
		t.Errorf("%q and %q", first.String(), second.String())
	}

	tr.Close()
	if tr.Line("session", "too late"); !second.closed || strings.Contains(first.String()+second.String(), "too late") {
		t.Error("the trace goes on")
	}

	nobody := New(nil, time.Now())
	nobody.Line("session", "early")
	nobody.Also(nil)
	if nobody.wanted() || nobody.early != nil {
		t.Error("lines are made for nobody")
	}
	var none *Trace
	none.Line("session", "nothing")
	none.Message("client", []byte(`{}`))
}

func TestSecretsAreLeftOut(t *testing.T) {
	var log file
	tr := New(nil, time.Now())
	tr.Message("client →", []byte(`{"arguments":{"agent":{"env":{"A.B":"s3cr3t-one"}},"env":{"C":"s3cr3t-two"},"kubectlFlags":["--token=s3cr3t-three","--token","s3cr3t-four"]}}`))
	tr.Message("client →", []byte(`{"arguments":{"env":["C=s3cr3t-five"]}}`))
	tr.Hide([]string{"s3cr3t-six", "ab", "with \"quotes\" s3cr3t"})
	tr.Also(&log)
	tr.Line("output", "it says s3cr3t-six, and ab")
	tr.Message("client ←", []byte(`{"body":{"output":"with \"quotes\" s3cr3t"}}`))
	tr.Line("kube", "Authorization: Bearer s3cr3t.seven-x")
	text := log.String()
	if strings.Contains(text, "s3cr3t") {
		t.Errorf("a secret is there:\n%s", text)
	}
	for _, want := range []string{`"A.B":"…"`, `"C":"…"`, `"--token=…"`, `"C=…"`, "and ab", "Bearer …"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing:\n%s", want, text)
		}
	}
}
