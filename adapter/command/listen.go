package command

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// serve accepts connections and gives each to an envoydbg of its own: sessions
// then share nothing, and one's end cannot harm another. A signal closes the
// listener and ends each session, whose client still gets its last events.
func serve(address string, flags *sessionFlags, stderr io.Writer) error {
	// What no session could use is told now, and not to each client.
	if err := flags.check(); err != nil {
		return err
	}
	l, err := listenAt(address)
	if err != nil {
		return err
	}
	sessions := &listening{flags: flags, stderr: stderr, running: map[*exec.Cmd]bool{}}
	signals, _ := notify(func() { sessions.signal(syscall.SIGKILL) }, nil)
	fmt.Fprintf(stderr, "listening on %s\n", l.Addr())
	accepted := make(chan error, 1)
	go func() { accepted <- sessions.accept(l) }()
	select {
	case err = <-accepted:
		// No more connections; those that are there go on.
		fmt.Fprintln(stderr, fault.Listen(address, err))
		select {
		case <-sessions.ended():
		case <-signals:
			_ = sessions.end()
		}
		return exit(exitError)
	case <-signals:
		_ = l.Close()
		<-accepted
		return sessions.end()
	}
}

// listening holds the processes that serve one connection each.
type listening struct {
	flags  *sessionFlags
	stderr io.Writer

	wait    sync.WaitGroup
	mu      sync.Mutex
	running map[*exec.Cmd]bool
}

// acceptPause is how long no connection is taken when one could not be: the
// limit that was reached would be reached again at once.
const acceptPause = 100 * time.Millisecond

// accept takes connections until the listener is closed, or cannot go on.
func (s *listening) accept(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err == nil {
			err = s.start(conn)
		} else if !exhausted(err) {
			return err
		}
		if err != nil {
			fmt.Fprintln(s.stderr, fault.Connection(err))
			time.Sleep(acceptPause)
		}
	}
}

// exhausted reports whether Accept has failed for a lack that may pass, or
// because the client has given up.
func exhausted(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.ECONNABORTED} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// start gives a connection to a process of its own.
func (s *listening) start(conn net.Conn) error {
	file, err := conn.(interface{ File() (*os.File, error) }).File()
	_ = conn.Close()
	if err != nil {
		return err
	}
	defer file.Close()
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(exe, append([]string{"dap"}, s.flags.arguments()...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = file, file, os.Stderr
	// Ctrl-C in a terminal goes to the whole process group. A child gets it from
	// this process alone, once: the second one would end it at once.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.mu.Lock()
	s.running[cmd] = true
	s.mu.Unlock()
	s.wait.Go(func() {
		_ = cmd.Wait() // the child has shown its error
		s.mu.Lock()
		delete(s.running, cmd)
		s.mu.Unlock()
	})
	return nil
}

// signal sends all sessions a signal. One that has just ended gets none.
func (s *listening) signal(sig os.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for cmd := range s.running {
		_ = cmd.Process.Signal(sig)
	}
}

// ended is closed when the last session has ended. None may start any more.
func (s *listening) ended() <-chan struct{} {
	ended := make(chan struct{})
	go func() { s.wait.Wait(); close(ended) }()
	return ended
}

// end ends all sessions as one signal does, and those by force that do not end,
// which is an error.
func (s *listening) end() error {
	s.signal(syscall.SIGTERM)
	ended := s.ended()
	select {
	case <-ended:
		return nil
	case <-time.After(endTime + closeTime):
		s.signal(syscall.SIGKILL)
		<-ended
		return fault.EndTooLong(endTime)
	}
}

// listenAt opens a unix socket that only this user can reach, or a loopback
// port; nothing that others can connect to.
func listenAt(address string) (net.Listener, error) {
	network, at := "tcp", address
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if path == "" {
			return nil, fault.Usage("--listen unix: names no path", "Give unix:PATH, such as unix:$XDG_RUNTIME_DIR/envoydbg.sock.")
		}
		network, at = "unix", path
		dir := filepath.Dir(path)
		st, err := os.Stat(dir)
		if err != nil {
			return nil, fault.Listen(address, err)
		}
		if st.Mode().Perm()&0o077 != 0 {
			return nil, fault.Usage(fmt.Sprintf("--listen %s: others can reach the folder %s", address, dir),
				"Give a path in a folder of mode 0700, as \"mktemp -d\" makes it.")
		}
	} else {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fault.Usage(fmt.Sprintf("--listen %s is no address", address), "Give unix:PATH, or HOST:PORT of this machine alone, such as 127.0.0.1:4711.")
		}
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return nil, fault.Usage(fmt.Sprintf("--listen %s is an address that others can reach, and whoever connects can run programs", address),
				"Give a loopback address (127.0.0.1 or [::1]), or unix:PATH.")
		}
	}
	l, err := net.Listen(network, at)
	if err != nil {
		return nil, fault.Listen(address, err)
	}
	return l, nil
}
