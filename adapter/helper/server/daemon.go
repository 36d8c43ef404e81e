//go:build linux

package server

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/link"
	"github.com/envoydbg/envoydbg/internal/tempdir"
)

const (
	// defaultLease is a little more than a client's default time to come back.
	defaultLease = 5*time.Minute + 30*time.Second
	// firstClient is how long a daemon waits for its first client.
	firstClient = 30 * time.Second
	// startBound bounds the start of a daemon.
	startBound = 15 * time.Second
	// logKept bounds a daemon's log, in bytes.
	logKept = 1 << 20
	// drainBound is how long a command that has ended reads its input, and how long
	// it waits for its reader.
	drainBound = 2 * time.Second
)

// Descriptors that serve passes to the daemon, and the supervisor to the session.
const (
	fdReady = 3 // where the session tells how its start went
	fdLock  = 4
)

// daemonFlags are those of serve, which the daemon gets, too.
type daemonFlags struct {
	place, session, who string
	lease               time.Duration

	dir      string // the session's folder; set by serve
	made     bool   // serve has made the place
	protocol int    // of the adapter; 0 to start the daemon alone
}

func (f *daemonFlags) parse(word string, args []string) error {
	set := flag.NewFlagSet(word, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.place, "dir", "", "")
	set.StringVar(&f.session, "session", "", "")
	set.StringVar(&f.who, "who", "", "")
	set.DurationVar(&f.lease, "lease", defaultLease, "")
	set.StringVar(&f.dir, "folder", "", "")
	set.BoolVar(&f.made, "made", false, "")
	set.IntVar(&f.protocol, "protocol", 0, "")
	err := set.Parse(args)
	switch {
	case err != nil:
	case set.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", set.Arg(0))
	case !filepath.IsAbs(f.place):
		err = errors.New("--dir must be an absolute path")
	case !sessionName.MatchString(f.session):
		err = errors.New("--session must be 8 lower-case hex digits")
	case f.lease <= 0:
		err = errors.New("--lease must be above 0")
	}
	f.place = filepath.Clean(f.place)
	return err
}

func (f *daemonFlags) args(name, word string) []string {
	return []string{name, word, "--dir", f.place, "--session", f.session, "--who", f.who, "--lease", f.lease.String(),
		"--folder", f.dir, fmt.Sprintf("--made=%v", f.made)}
}

// conclude is the end of serve and end, and of connect when it fails: it tells the status, and
// reads the input until that is closed.
func conclude(s helper.Status, err error) (int, error) {
	s = statusOf(s, err)
	within(drainBound, func() { _ = helper.WriteStatus(os.Stdout, s) })
	_ = os.Stdout.Close()
	if s.Problem == "" {
		return 0, nil
	}
	within(drainBound, func() { _, _ = io.Copy(io.Discard, os.Stdin) })
	return 1, nil
}

// statusOf is s, or what err tells.
func statusOf(s helper.Status, err error) helper.Status {
	var p *helper.StatusError
	switch {
	case errors.As(err, &p):
		s = p.Status
	case err != nil:
		s = helper.Status{Problem: helper.ProblemFailed, Text: err.Error()}
	}
	return s
}

// within runs f, and does not wait for it longer than d.
func within(d time.Duration, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(d):
	}
}

// serveMain starts a daemon and ends when that serves, or has failed. If it knows the
// protocol, it goes on as the first connection.
func serveMain(name string, args []string, version string) (int, error) {
	survivePipes()
	var f daemonFlags
	if err := f.parse(wordServe, args); err != nil {
		return conclude(helper.Status{}, err)
	}
	status, err := startDaemon(name, f)
	if err != nil || f.protocol == 0 {
		return conclude(status, err)
	}
	signal.Ignore(syscall.SIGCHLD) // the daemon is a child, and nobody's business here
	return connect(f.place, f.session, f.protocol, version, status.Token)
}

func startDaemon(name string, f daemonFlags) (helper.Status, error) {
	var none helper.Status
	lock, err := f.take()
	if err != nil {
		return none, err
	}
	defer lock.Close() // the daemon's processes have it by then
	if err := lock.clean(); err != nil {
		return none, err
	}
	if err := lock.Truncate(0); err != nil {
		return none, err
	}
	status, err := launch(name, f, lock)
	if err != nil {
		lock.remove()
		if f.made {
			_ = os.Remove(f.place)
		}
	}
	return status, err
}

// take makes the place and locks it.
func (f *daemonFlags) take() (*placeLock, error) {
	for deadline := time.Now().Add(endOrderly); ; {
		err := os.Mkdir(f.place, 0o711)
		switch {
		case err == nil:
			f.made = true
		case errors.Is(err, fs.ErrExist):
		case errors.Is(err, fs.ErrPermission):
			return nil, otherUser(filepath.Dir(f.place), err)
		default:
			return nil, err
		}
		lock, err := lockFree(f.place)
		removed := errors.Is(err, fs.ErrNotExist) // in between, by the one before
		if !removed || time.Now().After(deadline) {
			return lock, err
		}
	}
}

// launch runs the supervisor in a session of its own (in the kernel's sense), without
// anything of the stream that has started it.
func launch(name string, f daemonFlags, lock *placeLock) (helper.Status, error) {
	var none helper.Status
	dir, err := MakeDir(f.place)
	if err != nil {
		return none, err
	}
	f.dir = dir.Path
	fail := func(err error) (helper.Status, error) { return none, errors.Join(err, dir.Remove()) }
	log, err := os.OpenFile(filepath.Join(f.dir, logFile), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fail(err)
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return fail(err)
	}
	defer null.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return fail(err)
	}
	defer r.Close()
	pid, err := syscall.ForkExec("/proc/self/exe", f.args(name, wordDaemon), &syscall.ProcAttr{
		Env:   os.Environ(), // and the container's working folder, which is the agent's, too
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd(), w.Fd(), lock.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	w.Close()
	runtime.KeepAlive(lock)
	if err != nil {
		return fail(fmt.Errorf("the daemon cannot be started: %w", err))
	}
	_ = r.SetReadDeadline(time.Now().Add(startBound))
	status, err := helper.ReadStatus(bufio.NewReaderSize(r, 64<<10))
	var told *helper.StatusError
	if err == nil || errors.As(err, &told) {
		return status, err // if it has failed, it removes its folder
	}
	_ = syscall.Kill(pid, syscall.SIGKILL) // our child, which nobody has reaped
	said, _ := io.ReadAll(io.NewSectionReader(log, 0, 4<<10))
	return fail(fmt.Errorf("the daemon did not start: %w\n%s", err, strings.TrimSpace(string(said))))
}

// daemonMain is the supervisor of a daemon's session.
func daemonMain(name string, args []string) (int, error) {
	var f daemonFlags
	if err := f.parse(wordDaemon, args); err != nil {
		return 2, err
	}
	lock := &placeLock{os.NewFile(fdLock, lockFile), filepath.Join(f.place, lockFile)}
	release, err := tempdir.Hold(f.dir)
	if err != nil {
		return 1, err
	}
	defer func() {
		_ = tempdir.Remove(f.dir)
		release()
		lock.remove()
		if f.made {
			_ = os.Remove(f.place) // unless there is something else in it
		}
	}()
	r, w, err := os.Pipe()
	if err != nil {
		return 1, err
	}
	go keepLog(os.Stderr, r) // ends with the session's process
	code, err := supervise(supervised{args: f.args(name, wordSession), files: []uintptr{0, w.Fd(), w.Fd(), fdReady, fdLock}, started: func() {
		_ = w.Close()
		_ = syscall.Close(fdReady)
	}})
	return code, err
}

// keepLog copies what a session's process writes to stderr, up to a bound.
func keepLog(log io.Writer, r io.Reader) {
	_, _ = io.CopyN(log, r, logKept)
	_, _ = io.Copy(io.Discard, r)
}

// daemonSession is the session's process of a daemon. Goroutines of its own: one that
// accepts at each of the three sockets, and one for each connection, until that ends.
func daemonSession(args []string, version string) error {
	ready, lock := os.NewFile(fdReady, "ready"), &placeLock{File: os.NewFile(fdLock, lockFile)}
	syscall.CloseOnExec(fdReady)
	syscall.CloseOnExec(fdLock)
	var f daemonFlags
	if err := f.parse(wordSession, args); err != nil {
		return err
	}
	lock.path = filepath.Join(f.place, lockFile)
	release, err := tempdir.Hold(f.dir)
	if err != nil {
		return err
	}
	defer release()
	defer lock.remove() // also when the supervisor was killed
	ctx, stop := untilSignal()
	defer stop()
	record, err := recorder(f.dir)
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(f.dir, linkFolder), 0o700); err != nil {
		return err
	}
	out := newStore(storeKept, storeAhead)
	defer out.finish()
	status := helper.Status{Version: version, Protocol: helper.Protocol, PID: os.Getppid(), Dir: f.dir, Token: rand.Text(), Lease: f.lease}
	ctl := &control{}
	server := link.NewServer(link.ServerOptions{Session: f.session, Token: status.Token, Lease: f.lease, First: min(f.lease, firstClient), Connected: out.connected})
	for path, serve := range map[string]func(net.Conn){
		linkSocket(f.dir): func(c net.Conn) { _ = server.Serve(c) },
		logsSocket(f.dir): func(c net.Conn) { sendLogs(c, out) },

		continueSocket(f.dir): ctl.serve,
	} {
		l, err := net.Listen("unix", path)
		if err != nil {
			return err
		}
		defer l.Close()
		go acceptAll(l, serve)
	}
	h := holder{Session: f.session, Who: f.who, Since: time.Now(), PID: status.PID, Dir: f.dir, Protocol: helper.Protocol, Version: version, State: helper.StateSession}
	if err := lock.write(h); err != nil {
		return err
	}
	var mu sync.Mutex
	left := func(state helper.State, left helper.Left) {
		mu.Lock()
		defer mu.Unlock()
		h.State, h.Left = state, left
		_ = lock.write(h) // else others take it for a session
	}
	if err := helper.WriteStatus(ready, status); err != nil {
		return err
	}
	_ = ready.Close()
	return daemonEnd(Serve(ctx, server.Conn(), Options{Version: version, Dir: f.dir, output: out, lease: f.lease, start: record, left: left, control: ctl}))
}

// daemonEnd leaves out the ends that are expected.
func daemonEnd(err error) error {
	if errors.Is(err, link.ErrLease) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func acceptAll(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go serve(c)
	}
}
