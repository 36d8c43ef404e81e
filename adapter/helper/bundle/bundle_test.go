package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// This test's program is the wrapper, too, as the helper is.
func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// packed is a bundle of a program of this machine.
func packed(t *testing.T, program string) []byte {
	t.Helper()
	files, err := Files(context.Background(), program)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := Write(context.Background(), &b, files); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unpacked(t *testing.T, archive []byte) (string, error) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "x", "bundle")
	return dir, Unpack(bytes.NewReader(archive), dir, self)
}

// A program runs from a bundle, by the bundle's own loader and libraries.
func TestAProgramRunsFromItsBundle(t *testing.T) {
	dir, err := unpacked(t, packed(t, "/usr/bin/cat"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(dir, Wrapper), "/proc/self/maps").CombinedOutput()
	for _, part := range []string{"/bin/lldb-server", "/lib/ld.so", "/lib/libc.so.6"} {
		if err != nil || !strings.Contains(string(out), dir+part) {
			t.Errorf("%v: %s is not in it: %s", err, dir+part, out)
		}
	}
	// Once more changes nothing.
	if err := Unpack(bytes.NewReader([]byte("garbage")), dir, "/none"); err != nil {
		t.Error(err)
	}
}

// A bundle that is copied runs where it is meant to be, and not before.
func TestACopiedBundleRunsWhereItIsMeantToBe(t *testing.T) {
	files, err := Files(context.Background(), "/usr/bin/cat")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(t.TempDir(), "made")
	final := filepath.Join(t.TempDir(), "final")
	if err := Copy(files, made, final, self); err != nil {
		t.Fatal(err)
	}
	run := func(dir string) (string, error) {
		out, err := exec.Command(filepath.Join(dir, Wrapper), "/proc/self/maps").CombinedOutput()
		return string(out), err
	}
	if out, err := run(made); err == nil {
		t.Errorf("it runs elsewhere: %s", out)
	}
	if err := os.Rename(made, final); err != nil {
		t.Fatal(err)
	}
	if out, err := run(final); err != nil || !strings.Contains(out, final+"/lib/libc.so.6") {
		t.Errorf("%v: %s", err, out)
	}
	if err := Copy([]File{{Name: server, Path: "/none"}}, made, final, self); err == nil {
		t.Error("a file that is not there was copied")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(made), "*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestWhatIsNoBundle(t *testing.T) {
	archive := func(entries ...tar.Header) []byte {
		var b bytes.Buffer
		z, _ := zstd.NewWriter(&b)
		w := tar.NewWriter(z)
		for _, h := range entries {
			_ = w.WriteHeader(&h)
			_, _ = w.Write(make([]byte, h.Size))
		}
		_ = w.Close()
		_ = z.Close()
		return b.Bytes()
	}
	good := packed(t, "/usr/bin/env")
	for name, b := range map[string][]byte{
		"empty":              nil,
		"garbage":            []byte("garbage"),
		"cut short":          good[:len(good)/2],
		"a path upwards":     archive(tar.Header{Name: "../x", Typeflag: tar.TypeReg, Size: 1}),
		"an absolute path":   archive(tar.Header{Name: "/tmp/envoydbg-bundle-test", Typeflag: tar.TypeReg, Size: 1}),
		"a link":             archive(tar.Header{Name: "x", Linkname: "/etc", Typeflag: tar.TypeSymlink}),
		"a file twice":       archive(tar.Header{Name: "x", Typeflag: tar.TypeReg}, tar.Header{Name: "x", Typeflag: tar.TypeReg}),
		"the wrapper itself": archive(tar.Header{Name: Wrapper, Typeflag: tar.TypeReg}),
	} {
		dir, err := unpacked(t, b)
		if err == nil {
			t.Errorf("%s was unpacked", name)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(dir), "*")); len(left) > 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

func TestWhatCannotBeBundled(t *testing.T) {
	for _, program := range []string{"/none", "/etc/passwd", t.TempDir()} {
		if _, err := Files(context.Background(), program); err == nil {
			t.Errorf("%s can be bundled", program)
		}
	}
}
