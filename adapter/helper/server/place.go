//go:build linux

package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/internal/tempdir"
)

// A daemon's place is the folder that serve is given. It may be used for other things
// too, such as the helper's program. In it are
//
//	PLACE
//	├ session.lock     locked by the daemon's processes; says who has the session
//	└ envoydbg-RANDOM  the session's folder (doc.go), and in it
//	  ├ link           0700: the daemon's sockets, s, logs and continue
//	  ├ started        what was started, for who comes after a daemon that was killed
//	  └ log            what the daemon's processes have written to stderr

const (
	lockFile    = "session.lock"
	linkFolder  = "link"
	startedFile = "started"
	logFile     = "log"
)

func linkSocket(dir string) string { return filepath.Join(dir, linkFolder, "s") }
func logsSocket(dir string) string { return filepath.Join(dir, linkFolder, "logs") }

func continueSocket(dir string) string { return filepath.Join(dir, linkFolder, "continue") }

// holder is the content of the lock: who has the place.
type holder struct {
	Session  string    `json:"session"`
	Who      string    `json:"who"`
	Since    time.Time `json:"since"`
	PID      int       `json:"pid"`
	Dir      string    `json:"dir"`
	Protocol int       `json:"protocol"`
	Version  string    `json:"version"`

	State helper.State `json:"state"`
	Left  helper.Left  `json:"left,omitzero"`
}

// taken is the error for whoever wants a place that h has.
func (h holder) taken() error {
	s := h.status()
	s.Problem, s.Text = helper.ProblemTaken, "another session is there"
	return &helper.StatusError{Status: s}
}

func (h holder) status() helper.Status {
	return helper.Status{Who: h.Who, Since: h.Since, PID: h.PID, Dir: h.Dir, State: h.State, Left: h.Left}
}

// placeLock is a lock on a place. Descriptors of it are inherited by the daemon's
// processes, and the last of them to end lets go of it (flock(2)).
type placeLock struct {
	*os.File
	path string
}

// problem makes the error that serve and connect tell.
func problem(p helper.Problem, format string, args ...any) error {
	return &helper.StatusError{Status: helper.Status{Problem: p, Text: fmt.Sprintf(format, args...)}}
}

// lockPlace takes the lock of a place, or says who has it.
func lockPlace(place string) (*placeLock, error) {
	path := filepath.Join(place, lockFile)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
		switch {
		case errors.Is(err, fs.ErrPermission):
			return nil, otherUser(place, err)
		case errors.Is(err, fs.ErrNotExist):
			return nil, err
		case err != nil:
			return nil, problem(helper.ProblemFailed, "%v", err)
		}
		l := &placeLock{f, path}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			defer f.Close()
			h, _ := l.read() // empty while that one starts
			return nil, h.taken()
		case err != nil:
			f.Close()
			return nil, problem(helper.ProblemFailed, "lock %s: %v", path, err)
		case l.current():
			return l, nil
		}
		f.Close() // it was removed in between
	}
}

// lockFree is lockPlace, but waits for a session that is about to be gone: whoever has
// seen its end may be back at once.
func lockFree(place string) (*placeLock, error) {
	for deadline := time.Now().Add(endOrderly); ; time.Sleep(10 * time.Millisecond) {
		lock, err := lockPlace(place)
		var taken *helper.StatusError
		ending := errors.As(err, &taken) && taken.State == helper.StateEnding
		if !ending || time.Now().After(deadline) {
			return lock, err
		}
	}
}

func otherUser(place string, err error) error {
	return problem(helper.ProblemUser, "%s belongs to another user: %v", place, err)
}

// current says whether the file that is locked is still the place's.
func (l *placeLock) current() bool {
	mine, err1 := l.Stat()
	now, err2 := os.Lstat(l.path)
	return err1 == nil && err2 == nil && os.SameFile(mine, now)
}

func (l *placeLock) read() (h holder, err error) {
	b, err := io.ReadAll(io.NewSectionReader(l.File, 0, 64<<10))
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	return h, err
}

func (l *placeLock) write(h holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := l.Truncate(0); err != nil {
		return err
	}
	_, err = l.WriteAt(b, 0)
	return err
}

// remove removes the file. The lock must be held.
func (l *placeLock) remove() {
	if l.current() {
		_ = os.Remove(l.path)
	}
}

// incarnation names this PID namespace, so that a number noted in another one is not
// taken for a process of this one: a container that was started again uses the same
// numbers.
func incarnation() string {
	ns, _ := os.Readlink("/proc/self/ns/pid")
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	first, _ := process.Read(1)
	return fmt.Sprintf("%s %s %d", ns, strings.TrimSpace(string(boot)), first.Start)
}

// started is one line of the file of that name.
type started struct {
	In string `json:"in"` // the incarnation
	process.Stat
}

// recorder returns a function that notes in a session's folder what was started.
func recorder(dir string) (func(process.Stat), error) {
	f, err := os.OpenFile(filepath.Join(dir, startedFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	in := incarnation()
	var mu sync.Mutex
	return func(p process.Stat) {
		b, _ := json.Marshal(started{in, p})
		mu.Lock()
		defer mu.Unlock()
		_, _ = f.Write(append(b, '\n')) // without it, only who comes after a double kill knows less
	}, nil
}

// leftBound bounds the end of what a killed daemon has left.
const leftBound = 3 * time.Second

// clean ends what a daemon has left that was killed with its supervisor, and removes
// its folder. The lock must be held.
func (l *placeLock) clean() error {
	h, err := l.read()
	place := filepath.Dir(l.path)
	if err != nil || filepath.Dir(h.Dir) != place {
		return nil // it had not come that far, or this is not its lock
	}
	b, _ := os.ReadFile(filepath.Join(h.Dir, startedFile))
	var sessions process.Sessions
	in := incarnation()
	for line := range strings.Lines(string(b)) {
		var s started
		if json.Unmarshal([]byte(line), &s) == nil && s.In == in {
			sessions.Note(s.Stat)
		}
	}
	if err := sessions.Kill(time.Now().Add(leftBound)); err != nil {
		return problem(helper.ProblemFailed, "an earlier session was killed and has left something that cannot be ended: %v", err)
	}
	if err := tempdir.Remove(h.Dir); err != nil {
		return problem(helper.ProblemFailed, "an earlier session was killed and has left its folder: %v", err)
	}
	return nil
}
