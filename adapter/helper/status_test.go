package helper

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestTheStatusIsFoundAmongNoiseAndTheStreamBeginsBehindIt(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("warning: something of the container's\n")
	if err := WriteStatus(&b, Status{PID: 7, Token: "t", Lease: time.Minute}); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\x00the stream")
	in := bufio.NewReader(&b)
	s, err := ReadStatus(in)
	if err != nil || s.PID != 7 || s.Token != "t" || s.Lease != time.Minute {
		t.Errorf("%+v, %v", s, err)
	}
	if rest, _ := io.ReadAll(in); string(rest) != "\x00the stream" {
		t.Errorf("the stream began with %q", rest)
	}
}

func TestAProblemIsAnErrorThatSaysWhoAndSinceWhen(t *testing.T) {
	var b bytes.Buffer
	since := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	if err := WriteStatus(&b, Status{Problem: ProblemTaken, Text: "another session is there", Who: "ann@laptop", Since: since}); err != nil {
		t.Fatal(err)
	}
	_, err := ReadStatus(bufio.NewReader(&b))
	var problem *StatusError
	if !errors.As(err, &problem) || problem.Problem != ProblemTaken || !problem.Since.Equal(since) {
		t.Fatalf("%v", err)
	}
	if want := "another session is there (ann@laptop, since 2026-02-03 04:05:06)"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

// The clock of the node is an hour ahead, or behind.
func TestTimesOfAnotherClockAreToldByThisOne(t *testing.T) {
	now := time.Now()
	for _, wrong := range []time.Duration{time.Hour, -time.Hour} {
		there := now.Add(wrong)
		s := Status{Now: there, Since: there.Add(-10 * time.Minute), Left: Left{Until: there.Add(time.Minute)}, Processes: []Running{{PID: 7, Since: there.Add(-time.Minute)}}}.here(now)
		if !s.Since.Equal(now.Add(-10*time.Minute)) || !s.Left.Until.Equal(now.Add(time.Minute)) || !s.Processes[0].Since.Equal(now.Add(-time.Minute)) {
			t.Errorf("%v: %+v", wrong, s)
		}
	}
	since := now.Add(-time.Hour)
	if s := (Status{Now: now.Add(-time.Second), Since: since}).here(now); !s.Since.Equal(since) {
		t.Errorf("a second on the way has changed %v to %v", since, s.Since)
	}
	if s := (Status{Since: since}).here(now); !s.Since.Equal(since) {
		t.Errorf("without a clock: %v", s.Since)
	}
}

func TestWhatCameInPlaceOfTheStatusIsTold(t *testing.T) {
	for _, said := range []string{
		"OCI runtime exec failed: exec: \"/x\": no such file or directory\n",
		"envoydbg-helper: {\"pid\":1", // cut short
		strings.Repeat("noise\n", 20_000),
	} {
		_, err := ReadStatus(bufio.NewReader(strings.NewReader(said)))
		if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(said[:20])) {
			t.Errorf("%.60q: %.200v", said, err)
		}
	}
}
