//go:build linux

package server

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// connectMain passes stdin and stdout on to the daemon of a place, until either side
// ends. The three goroutines of connect end with the process.
func connectMain(args []string, version string) (int, error) {
	survivePipes()
	set := flag.NewFlagSet(wordConnect, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	place := set.String("dir", "", "")
	session := set.String("session", "", "")
	protocol := set.Int("protocol", 0, "")
	if err := set.Parse(args); err != nil {
		return conclude(helper.Status{}, err)
	}
	return connect(*place, *session, *protocol, version, "")
}

// connect is connectMain with its arguments. The token is told to the client.
func connect(place, session string, protocol int, version, token string) (int, error) {
	conn, status, err := reach(place, session, protocol, version)
	if err != nil {
		return conclude(helper.Status{}, err)
	}
	defer conn.Close()
	status.Token = token
	if err := helper.WriteStatus(os.Stdout, status); err != nil {
		return 1, err
	}
	inEnded, outEnded, hungUp := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(inEnded)
		_, err := io.Copy(conn, os.Stdin)
		if err != nil { // the daemon has gone: what still comes must be read, see Status
			_, _ = io.Copy(io.Discard, os.Stdin)
		}
	}()
	go func() {
		defer close(outEnded)
		_, _ = io.Copy(os.Stdout, conn)
	}()
	// The copying to stdout sees that the daemon has closed only when somebody reads
	// there, which is not so where this stream has been given up for another one.
	go func() {
		defer close(hungUp)
		waitHangUp(conn.(*net.UnixConn))
	}()
	select {
	case <-inEnded: // and with it the client
	case <-hungUp:
		within(drainBound, func() { <-outEnded })
		_ = os.Stdout.Close()
		within(drainBound, func() { <-inEnded })
	}
	return 0, nil
}

// waitHangUp waits until the other end of a socket is closed, whatever is still to be
// read.
func waitHangUp(conn *net.UnixConn) {
	f, err := conn.File()
	if err != nil {
		return
	}
	defer f.Close()
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLRDHUP}}, -1)
		if n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// reach connects to the daemon of a place.
func reach(place, session string, protocol int, version string) (net.Conn, helper.Status, error) {
	var none helper.Status
	h, err := holderOf(place)
	if err != nil {
		return nil, none, err
	}
	switch {
	case session != h.Session:
		return nil, none, h.taken()
	case protocol != helper.Protocol, h.Protocol != helper.Protocol:
		return nil, none, problem(helper.ProblemVersion, "the adapter speaks protocol %d, the helper's program (%s) %d, and its daemon (%s) %d",
			protocol, version, helper.Protocol, h.Version, h.Protocol)
	}
	conn, err := dialDaemon(place, linkSocket(h.Dir))
	return conn, helper.Status{Version: version, Protocol: helper.Protocol, PID: h.PID, Dir: h.Dir}, err
}

// holderOf reads who has a place.
func holderOf(place string) (holder, error) {
	var h holder
	if !filepath.IsAbs(place) {
		return h, errors.New("--dir must be an absolute path")
	}
	b, err := os.ReadFile(filepath.Join(place, lockFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return h, noSession(place)
	case errors.Is(err, fs.ErrPermission):
		return h, otherUser(place, err)
	case err != nil:
		return h, err
	}
	if json.Unmarshal(b, &h) != nil || h.Dir == "" {
		return h, noSession(place)
	}
	return h, nil
}

func noSession(place string) error {
	return problem(helper.ProblemNoSession, "no session is in %s: it was never there, or has ended", place)
}

// dialDaemon connects to a socket of a daemon that may have ended.
func dialDaemon(place, socket string) (net.Conn, error) {
	conn, err := net.Dial("unix", socket)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, noSession(place)
	case errors.Is(err, fs.ErrPermission):
		return nil, otherUser(place, err)
	}
	return conn, err
}

// logsMain prints the output of the agent and Envoy, from the start as far as it was
// kept. All of it goes to stdout, which alone comes through an exec without end.
func logsMain(args []string) (int, error) {
	set := flag.NewFlagSet(wordLogs, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	place := set.String("dir", "", "")
	follow := set.Bool("follow", false, "")
	if err := set.Parse(args); err != nil {
		return 2, err
	}
	h, err := holderOf(*place)
	if err == nil && h.State == helper.StateEnding {
		err = noSession(*place)
	}
	if err != nil {
		return 1, err
	}
	conn, err := dialDaemon(*place, logsSocket(h.Dir))
	if err != nil {
		return 1, err
	}
	defer conn.Close()
	want := []byte{logsNow}
	if *follow {
		want[0] = logsFollow
	}
	if _, err := conn.Write(want); err != nil {
		return 1, err
	}
	for {
		p, err := helper.ReadOutput(conn)
		if err == io.EOF {
			return 0, nil
		}
		if err == nil {
			_, err = os.Stdout.Write(p.Data)
		}
		if err != nil {
			return 1, fmt.Errorf("logs: %w", err)
		}
	}
}

// What logs asks for.
const (
	logsNow    = 'n' // what there is
	logsFollow = 'f' // what comes, too
)

// sendLogs serves one logs.
func sendLogs(c net.Conn, out *store) {
	defer c.Close()
	want := make([]byte, 1)
	if _, err := io.ReadFull(c, want); err == nil {
		out.copy(c, want[0] == logsFollow, false)
	}
}
