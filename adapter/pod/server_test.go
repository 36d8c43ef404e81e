package pod

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/test/support/checkout"
)

// server makes a program that says of itself what lldb-server does.
func server(t *testing.T, version string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), serverName)
	script := fmt.Sprintf("#!/bin/sh\necho 'lldb version %s' >&2\n", version)
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// The container's own lldb-server is taken when it is of lldb-dap's version, and the user
// is told why which one is.
func TestTheContainersOwnServerIsTakenIfItFits(t *testing.T) {
	v := lldb.Version{Major: 22, Text: "22.1.8"}
	for own, want := range map[string]string{"22.1.0": "lldb-server 22.1.0 is the container's own", "19.1.7": "the container's own is 19.1.7", "": "the container has none"} {
		t.Run(own, func(t *testing.T) {
			t.Setenv("PATH", filepath.Dir(server(t, own))+":"+os.Getenv("PATH"))
			to := target(t, &room{})
			connect(t, to)
			told := ""
			to.progress = func(format string, args ...any) { told += fmt.Sprintf(format, args...) + "\n" }
			// The one of this machine is a script, which cannot be brought. It is beside a
			// lldb-dap.
			here := server(t, "22.1.8")
			dap := filepath.Join(filepath.Dir(here), "lldb-dap")
			if err := os.Link(here, dap); err != nil {
				t.Fatal(err)
			}
			got, err := to.LLDBServer(t.Context(), "", dap, v)
			if strings.HasPrefix(own, "22") {
				if got != serverName || err != nil {
					t.Errorf("%s, %v", got, err)
				}
			} else if code(err) != 1608 {
				t.Errorf("%s, %v", got, err)
			}
			if !strings.Contains(told, want) {
				t.Errorf("told: %s", told)
			}
		})
	}
}

// A server that does not fit is told before anything is brought.
func TestAServerThatDoesNotFitIsNotBrought(t *testing.T) {
	r := &room{}
	to := target(t, r)
	connect(t, to)
	r.ran = nil
	v := lldb.Version{Major: 22, Text: "22.1.8"}
	if _, err := to.LLDBServer(t.Context(), checkout.Path(t, "bin/tools/lldb-19/bin/lldb-server"), "", v); code(err) != 1616 || !strings.Contains(err.Error(), "version 19.") {
		t.Errorf("another version: %v", err)
	}
	to.placed.arch = "arm64"
	if _, err := to.LLDBServer(t.Context(), "/usr/bin/env", "", v); code(err) != 1615 || !strings.Contains(err.Error(), "arm64") {
		t.Errorf("another machine: %v", err)
	}
	if len(r.ran) > 0 {
		t.Errorf("ran %q", r.ran)
	}
	if got, err := to.LLDBServer(t.Context(), "container:/opt/lldb-server", "", v); got != "/opt/lldb-server" || err != nil {
		t.Errorf("one of the container's: %s, %v", got, err)
	}
}

// lldb-server of an image is copied by a container of that image, once, unless it does not
// fit.
func TestTheServerOfAnImageIsCopiedOnce(t *testing.T) {
	r := &room{}
	to := target(t, r)
	r.shared = to.Places[1:]
	to.DebugImage = "lldb:22"
	connect(t, to)
	v := lldb.Version{Major: 22, Text: "22.1.8"}
	for range 2 { // true, too, ends well when it is asked for its version
		got, err := to.LLDBServer(t.Context(), "image:/usr/bin/true", "", v)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(got, to.placed.dir) {
			t.Errorf("it is %s", got)
		}
		if out, err := exec.Command(got).CombinedOutput(); err != nil {
			t.Errorf("it does not run: %v: %s", err, out)
		}
	}
	if len(r.beside) != 1 || r.beside[0] != "lldb:22" {
		t.Errorf("beside: %q", r.beside)
	}
	if _, err := to.LLDBServer(t.Context(), "image:"+server(t, "19.1.7"), "", v); code(err) != 1616 {
		t.Errorf("another version: %v", err)
	}
	if _, err := to.LLDBServer(t.Context(), "image:/none", "", v); code(err) != 1608 {
		t.Errorf("none: %v", err)
	}
}

func code(err error) int {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f.Code
	}
	return 0
}
