//go:build linux

package gate

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// Arrival is the first line from a gate to the helper.
type Arrival struct {
	// Standing: this is the second step, ready to take the awaited name.
	Standing bool `json:"standing"`
	// Args are the arguments that Envoy is started with.
	Args []string `json:"args"`
}

// Verdict is the helper's answer: what the gate is to do, and what it has to
// know for that. It comes when it is decided, which may take a while.
type Verdict struct {
	Do Do `json:"do"`
	// Stand is the path of the second step to exec, for Do Stand.
	Stand string `json:"stand,omitempty"`
	// Envoy is the path to exec, for Do Wait and Become. It replaces argv[0]
	// where that is a path of the gate's.
	Envoy string `json:"envoy,omitempty"`
	// Environ undoes the changes to the environment, for Do Wait and Become.
	Environ Environ `json:"environ"`
	// Timeout in milliseconds: how long to wait for a tracer, for Do Wait.
	Timeout int64 `json:"timeout,omitempty"`
}

// Do is what a gate is to do.
type Do string

const (
	Become Do = "become" // be Envoy at once, without a debugger
	Stand  Do = "stand"  // exec the second step
	Wait   Do = "wait"   // it has the awaited name: wait for a tracer, then be Envoy
)

// Report is one line from a waiting gate to the helper.
type Report struct {
	// State is GatePassed when the gate is traced and about to exec Envoy; nothing
	// follows then unless that fails. With GateTimeout it exits with ExitTimeout,
	// with GateFailed it exits with ExitFailed.
	State  helper.GateState `json:"state"`
	Detail string           `json:"detail,omitempty"`
}

// Exit codes of a gate that does not become Envoy.
const (
	ExitTimeout = 86
	ExitFailed  = 87
)

const (
	firstPrefix  = "start-"
	secondPrefix = "step-"
	socketName   = "g.sock"
)

// Dir is the folder of a gate, as the helper sees it. Only the helper writes to
// it; everybody who knows its name may run the gate.
type Dir string

// Socket is the path of the unix socket on which the helper hears of gates.
func (d Dir) Socket() string { return filepath.Join(string(d), socketName) }

// First is what the agent starts in Envoy's place; the gate will wait under the
// name base.
func (d Dir) First(base string) string { return filepath.Join(string(d), firstPrefix+base) }

// Bin is a folder for PATH: links in it lead to the gate.
func (d Dir) Bin() string { return filepath.Join(string(d), "bin") }

// Install puts the gate and links to it of the given names into d.
func (d Dir) Install(base string, names []string) error {
	if err := place(d.First(base)); err != nil {
		return fmt.Errorf("the gate could not be placed at %s: %w", d.First(base), err)
	}
	if err := os.RemoveAll(d.Bin()); err != nil {
		return err
	}
	if err := mkdir(d.Bin()); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Symlink(d.First(base), filepath.Join(d.Bin(), name)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

// mkdir makes a folder that everybody may pass and nobody else may list or change.
func mkdir(path string) error {
	if err := os.Mkdir(path, 0o711); err != nil {
		return err
	}
	return os.Chmod(path, 0o711) // whatever the umask
}

// MakeDir makes the folder.
func MakeDir(path string) (Dir, error) { return Dir(path), mkdir(path) }

// NextStep makes the program of the second step for a process: a link of its own,
// which can be renamed while that process runs it. It returns its path.
func (d Dir) NextStep(base string, pid int) (string, error) {
	path := filepath.Join(string(d), secondPrefix+base+"."+strconv.Itoa(pid))
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // of an earlier process
		return "", err
	}
	return path, os.Link(d.First(base), path)
}

// Appear gives the process that runs the second step the name that debug servers
// wait for: renaming the file it runs changes what /proc/PID/exe reads.
func (d Dir) Appear(base string, pid int) error {
	path := filepath.Join(string(d), base)
	// An earlier gate's name is another link of the same file, and rename(2)
	// between two links of one file does nothing.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(filepath.Join(string(d), secondPrefix+base+"."+strconv.Itoa(pid)), path)
}

// everybody may run the gate, whatever user the agent becomes.
const executable = 0o755

// place makes path the running executable: as a hard link, or where that cannot
// be (another file system, fs.protected_hardlinks, a mode that keeps others from
// running it) as a copy.
func place(path string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	st, err := os.Stat(exe)
	if err == nil && st.Mode().Perm()&executable == executable {
		err = os.Link(exe, path)
		if err == nil || errors.Is(err, os.ErrExist) {
			return nil
		}
	}
	src, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer src.Close()
	// A child forked while the copy is open for writing would inherit that,
	// and the exec of the copy would fail with ETXTBSY.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	dst, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, executable)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(dst, src); err != nil {
		dst.Close()
		return err
	}
	if err := dst.Chmod(executable); err != nil { // whatever the umask
		dst.Close()
		return err
	}
	return dst.Close()
}
