//go:build linux

package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/link"
)

// place is a folder that daemons are given, and the helper's program.
type place struct {
	t       *testing.T
	dir     string
	program string
	wrap    []string // what the helper is run by
}

func newPlace(t *testing.T) *place {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "place-") // short, for the sockets, and open to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return &place{t: t, dir: dir, program: actor(t, "helper")}
}

// execution is one run of the helper's command line, as an exec into a pod would be.
type execution struct {
	*exec.Cmd
	in     *bufio.Reader
	out    io.ReadCloser
	stdin  io.WriteCloser
	stderr bytes.Buffer
	ended  chan struct{} // closed when it has been reaped
}

func (p *place) exec(args ...string) (*execution, error) {
	words := append(append([]string{}, p.wrap...), append([]string{p.program}, args...)...)
	e := &execution{Cmd: exec.Command(words[0], words[1:]...), ended: make(chan struct{})}
	e.Stderr = &e.stderr
	stdin, err := e.StdinPipe()
	if err != nil {
		return nil, err
	}
	r, w, err := os.Pipe() // not StdoutPipe: Wait would close it under the reader
	if err != nil {
		return nil, err
	}
	e.Stdout = w
	err = e.Start()
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	e.in, e.out, e.stdin = bufio.NewReaderSize(r, 64<<10), r, stdin
	go func() {
		_ = e.Wait()
		close(e.ended)
	}()
	return e, nil
}

func (e *execution) Read(b []byte) (int, error)  { return e.in.Read(b) }
func (e *execution) Write(b []byte) (int, error) { return e.stdin.Write(b) }
func (e *execution) Close() error                { return errors.Join(e.stdin.Close(), e.out.Close()) }

// mustEnd fails unless it ends in time.
func (e *execution) mustEnd(t *testing.T) {
	t.Helper()
	select {
	case <-e.ended:
	case <-time.After(bound):
		t.Fatalf("%v has not ended; stderr: %s", e.Args, e.stderr.String())
	}
}

// serve starts a daemon; the error is what it tells.
func (p *place) serve(session string, more ...string) (helper.Status, error) {
	p.t.Helper()
	e, err := p.exec(append([]string{"serve", "--dir", p.dir, "--session", session}, more...)...)
	if err != nil {
		p.t.Fatal(err)
	}
	status, err := helper.ReadStatus(e.in)
	if err == nil {
		e.mustEnd(p.t) // although its stdin is open
	}
	_ = e.Close()
	e.mustEnd(p.t)
	return status, err
}

// reached is an adapter that reaches a daemon by connect.
type reached struct {
	*client
	link *link.Conn

	mu     sync.Mutex
	last   *execution
	down   bool // no further transport is made
	cuts   int
	resume chan struct{} // one for each time it goes on
}

// openDaemon starts a daemon and says hello to it.
func openDaemon(t *testing.T, p *place, more ...string) (*reached, helper.Status) {
	t.Helper()
	status, err := p.serve(testSession, append([]string{"--who", "ann@laptop"}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*bound)
	t.Cleanup(cancel)
	r := &reached{client: &client{t: t, ctx: ctx}, resume: make(chan struct{}, 1000)}
	r.client.news.L = &r.client.mu
	r.link, err = link.Connect(ctx, link.ClientOptions{Session: testSession, Token: status.Token, Who: "ann@laptop",
		Reconnect: bound,
		Dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.down {
				return nil, errors.New("the network is down")
			}
			return helper.Place{Dir: p.dir, Session: testSession, Run: func(_ context.Context, args ...string) (io.ReadWriteCloser, error) {
				var err error
				r.last, err = p.exec(args...)
				return r.last, err
			}}.Dial(ctx)
		},
		Cut:     func(error) { r.mu.Lock(); r.cuts++; r.mu.Unlock() },
		Resumed: func(time.Duration) { r.resume <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Client, err = helper.NewClient(r.link, helper.Handlers{
		Output: func(p helper.OutputParams) { r.told(p) },
		Gate:   func(p helper.GateParams) { r.told(p) },
		Exit:   func(p helper.ExitParams) { r.told(p) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Client.Close() })
	if r.hello, err = r.Hello(ctx, helper.HelloParams{Protocol: helper.Protocol, Session: testSession}); err != nil {
		t.Fatal(err)
	}
	return r, status
}

// cut kills what carries the bytes.
func (r *reached) cut() {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.last.Process.Kill()
}

// cutAndBack is cut, and waits until the stream goes on.
func (r *reached) cutAndBack() {
	r.t.Helper()
	r.cut()
	select {
	case <-r.resume:
	case <-time.After(bound):
		r.t.Fatal("the stream was not resumed")
	}
}

func (r *reached) network(up bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = !up
}

// gone fails unless nothing of any daemon is left in the place, which goes with the daemon
// that has made it.
func (p *place) gone() {
	p.t.Helper()
	nothingLeft(p.t)
	entries, err := os.ReadDir(p.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) || len(entries) > 0 {
		p.t.Errorf("left in the place: %v, %v", entries, err)
	}
}
