package pod

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/startup"
)

// withoutShell is a target in a container without a shell, with one folder that another
// container can have, too.
func withoutShell(t *testing.T) (*Target, *room) {
	t.Helper()
	r := &room{fails: bare}
	to := target(t, r)
	r.shared = to.Places[1:]
	to.DebugImage = "busybox"
	return to, r
}

// In a container without a shell the helper is carried in by another one, which is told
// before it is made; the next session finds it.
func TestTheHelperIsCarriedInOnce(t *testing.T) {
	to, r := withoutShell(t)
	said := ""
	n := startup.Notices{Progress: quiet.Progress, Say: func(format string, args ...any) {
		if len(r.beside) > 0 {
			t.Error("it is told too late")
		}
		said += fmt.Sprintf(format, args...)
	}}
	b, err := to.Connect(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.beside) != 1 || r.beside[0] != "busybox" || !strings.Contains(said, "busybox") || !strings.Contains(said, "stays listed") {
		t.Errorf("beside: %q; said: %s", r.beside, said)
	}
	if _, err := b.Hello(t.Context(), helper.HelloParams{Protocol: helper.Protocol, Session: "01234567"}); err != nil {
		t.Error(err)
	}
	if _, err := b.End(t.Context()); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	again := &Target{Find: to.Find, HelperDir: helperDir, Places: to.Places, container: r}
	if there, err := again.place(t.Context()); err != nil || there != to.placed || len(r.beside) != 1 {
		t.Errorf("again: %+v, %v, beside: %q", there, err, r.beside)
	}
}

// What stands in the way of a carrier is told as what it is.
func TestWhyTheHelperIsNotCarriedIn(t *testing.T) {
	refused := fault.ImageRefused("busybox", "pod/x", errors.New("violates PodSecurity"))
	for name, x := range map[string]struct {
		change func(*Target, *room)
		code   int
		says   string
	}{
		"no image is named":       {func(to *Target, _ *room) { to.DebugImage = "" }, 1611, "istio/proxyv2:1.2.3"},
		"the cluster refuses":     {func(_ *Target, r *room) { r.refuses = refused }, 1612, "PodSecurity"},
		"no folder":               {func(to *Target, r *room) { to.Places = []string{"/nonexistent"}; r.shared = to.Places }, 1607, "/nonexistent"},
		"no command runs beside":  {func(_ *Target, r *room) { r.carrierFails = func([]string) error { return errors.New("refused") } }, 1606, "refused"},
		"the checksum differs":    {func(_ *Target, r *room) { r.carrierFails = spoil }, 1607, "checksum"},
		"it is another's file":    {func(_ *Target, r *room) { r.fails = func([]string) error { return errNoProgram } }, 1614, ".envoydbg"},
		"the container is gone":   {func(_ *Target, r *room) { r.fails = bareThen(errors.New("pods \"x\" not found")) }, 1606, "not found"},
		"no helper for that node": {func(to *Target, _ *room) { to.HelperDir = "/nonexistent" }, 1105, "envoydbg-helper"},
	} {
		t.Run(name, func(t *testing.T) {
			to, r := withoutShell(t)
			x.change(to, r)
			_, err := to.Connect(t.Context(), quiet)
			var f *fault.Fault
			if !errors.As(err, &f) || f.Code != x.code || !strings.Contains(f.Error(), x.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// bareThen is a container without a shell in which no other command can be run.
func bareThen(err error) func([]string) error {
	return func(command []string) error {
		if command[0] == "sh" {
			return errNoProgram
		}
		return err
	}
}

// A carrier that ends before its command has told so has done its work all the same.
func TestACarrierMayEndEarly(t *testing.T) {
	to, r := withoutShell(t)
	r.carrierEnds = true
	connect(t, to)
}

// Without a shell the helper does all that is done after it, and nothing is made only to
// clean up.
func TestTheHelperServesInPlaceOfAShell(t *testing.T) {
	to, r := withoutShell(t)
	if gone, err := to.Clean(t.Context()); err != nil || len(gone) > 0 || len(r.beside) > 0 {
		t.Errorf("clean before anything was brought: %v, %v, %v", gone, err, r.beside)
	}
	var f *fault.Fault
	if err := to.Logs(t.Context(), false, io.Discard); !errors.As(err, &f) || f.Code != 1609 {
		t.Errorf("logs before anything was brought: %v", err)
	}
	connect(t, to)
	if err := to.Logs(t.Context(), false, io.Discard); err != nil {
		t.Errorf("logs: %v", err)
	}
	if _, err := to.uploadServer(t.Context(), "/usr/bin/env"); err != nil {
		t.Error(err)
	}
}

// What another release has left is removed as well.
func TestWhatAnotherReleaseHasLeftIsRemoved(t *testing.T) {
	r := &room{}
	to := target(t, r)
	dir := filepath.Join(to.Places[1], folder)
	if err := os.MkdirAll(filepath.Join(dir, "lldb-server-0"), 0o700); err != nil {
		t.Fatal(err)
	}
	gone, err := to.Clean(t.Context())
	if err != nil || len(gone) != 1 || gone[0] != dir {
		t.Errorf("%v, %v", gone, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}
