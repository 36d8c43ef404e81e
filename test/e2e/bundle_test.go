package e2e

import (
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/bundle"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/test/support/harness"
)

// An lldb-server that came in a bundle, with its own loader and libraries, debugs as the
// one it was made from.
func TestAnLLDBServerFromABundleDebugs(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		c := s.Start()
		c.Initialize()
		a := s.Sample()
		server, err := lldb.FindServer("", s.LLDB.DAP, lldb.Version{})
		if err != nil {
			t.Fatal(err)
		}
		a = a.With("lldbServer", unbundled(t, s, server))
		c.Attach(a)
		c.Configure(mainPlace(s))
		at(t, c.Stopped(0), "Envoy::MainCommon::main", mainPlace(s))
		c.Disconnect()
	})
}

// unbundled is an lldb-server that has been through a bundle.
func unbundled(t *testing.T, s *harness.Story, server string) string {
	t.Helper()
	files, err := bundle.Files(context.Background(), server)
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	go func() { w.CloseWithError(bundle.Write(context.Background(), w, files)) }()
	binary, err := helper.FindBinary(filepath.Join(harness.The.Root, "bin"), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(s.Dir, "bundle")
	if err := bundle.Unpack(r, dir, binary); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, bundle.Wrapper)
}
