package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/link"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// answers is a Run whose commands say one thing and end.
func answers(t *testing.T, said func(w io.Writer)) helper.Run {
	return func(context.Context, ...string) (io.ReadWriteCloser, error) {
		ours, theirs := net.Pipe()
		go func() {
			said(theirs)
			theirs.Close()
		}()
		t.Cleanup(func() { ours.Close() })
		return ours, nil
	}
}

func TestWhatTheHelperTellsHasANumber(t *testing.T) {
	since := time.Date(2026, 2, 3, 4, 5, 6, 0, time.Local)
	for _, c := range []struct {
		said string
		s    helper.Status
		code int
		text string
	}{
		{s: helper.Status{Problem: helper.ProblemTaken, Text: "x", Who: "ann@laptop", Since: since}, code: 1504, text: "ann@laptop, since 2026-02-03 04:05:06"},
		{s: helper.Status{Problem: helper.ProblemNoSession, Text: "none is here"}, code: 1503, text: "none is here"},
		{s: helper.Status{Problem: helper.ProblemUser, Text: "not yours"}, code: 1506, text: "not yours"},
		{s: helper.Status{Problem: helper.ProblemVersion, Text: "protocol 1 and 2"}, code: 1505, text: "protocol 1 and 2"},
		{s: helper.Status{Problem: helper.ProblemFailed, Text: "mounted noexec"}, code: 1507, text: "mounted noexec"},
		{said: "exec: /x: no such file or directory\n", code: 1507, text: "no such file or directory"},
	} {
		run := answers(t, func(w io.Writer) {
			if c.said != "" {
				_, _ = io.WriteString(w, c.said)
				return
			}
			_ = helper.WriteStatus(w, c.s)
		})
		_, err := Connect(t.Context(), Options{Run: run, Dir: "/var/lib/istio/data/envoydbg"}, startup.Notices{})
		var f *fault.Fault
		if !errors.As(err, &f) || f.Code != c.code || !strings.Contains(f.Error(), c.text) {
			t.Errorf("%+v: %v; want ED%d with %q", c.s, err, c.code, c.text)
		}
	}
}

func TestWhatTheLinkTellsHasANumber(t *testing.T) {
	b := &Beside{options: Options{Lease: time.Minute}}
	for _, c := range []struct {
		err  error
		code int
	}{
		{&link.Refused{Reason: link.RefusedVersion, Version: 7}, 1505},
		{&link.Refused{Reason: link.RefusedTaken, Who: "ann@laptop"}, 1504},
		{&link.Refused{Reason: link.RefusedToken}, 1504},
		{&link.Refused{Reason: link.RefusedEnded}, 1503},
		{&link.Refused{Reason: link.RefusedGap}, 1503},
		{&link.LostError{Waited: time.Minute, Cut: io.EOF, Last: errors.New("forbidden")}, 1502},
	} {
		if f := b.known(c.err); f == nil || f.Code != c.code {
			t.Errorf("%v: %v, want ED%d", c.err, f, c.code)
		}
	}
	if f := b.known(io.EOF); f != nil {
		t.Errorf("any error: %v", f)
	}
}

// A command that hangs does not hang the session.
func TestACommandThatSaysNothingIsGivenUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	hangs := make(chan struct{})
	defer close(hangs)
	_, err := Connect(ctx, Options{Run: answers(t, func(io.Writer) { <-hangs }), Dir: "/x"}, startup.Notices{})
	var f *fault.Fault
	if !errors.As(err, &f) || f.Code != 1507 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
