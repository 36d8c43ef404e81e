package e2e

import (
	"os/exec"
	"path/filepath"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// programs is the folder of small programs that stand in for Envoy.
func programs() string { return filepath.Join(harness.The.Root, "test/e2e/programs") }

// compile runs g++ with debug information and a build-id in a folder, and returns
// the path of what it has made in the story's own.
func compile(s *harness.Story, dir, name string, args ...string) string {
	s.T.Helper()
	return compileBy(s, "g++", dir, name, args...)
}

// compileBy does it by another compiler.
func compileBy(s *harness.Story, compiler, dir, name string, args ...string) string {
	s.T.Helper()
	path := filepath.Join(s.Dir, name)
	run(s, dir, compiler, append([]string{"-g", "-O0", "-Wl,--build-id", "-o", path}, args...)...)
	return path
}

func run(s *harness.Story, dir, program string, args ...string) {
	s.T.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		s.T.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
}
