//go:build linux

package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper/forward"
)

// app makes connections from this process. Redirected ones are made up: what a mesh does
// shows in the stories of the cluster.
type app struct {
	*forward.Client
	past bool
	port int // on which Envoy would listen; 0 for one that does
}

func (a app) Peer(ctx context.Context, c *forward.Conn) (forward.Peer, error) {
	if a.past {
		return forward.Peer{}, nil
	}
	p, err := a.Client.Peer(ctx, c)
	p.Local = "127.0.0.1:15001"
	return p, err
}

func (a app) Look(ctx context.Context, port int, inode uint64) (forward.Look, error) {
	if a.port == 0 {
		return forward.Look{Listening: true}, nil
	}
	return a.Client.Look(ctx, a.port, inode)
}

// sidecar is one whose state the test sets.
type sidecar struct {
	Forward
	mu   sync.Mutex
	look forward.Look
}

func (s *sidecar) Look(context.Context, int, uint64) (forward.Look, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.look, nil
}

func (s *sidecar) set(l forward.Look) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look = l
}

func envoy(stopped bool) forward.Look {
	e := forward.Envoy{PID: 7, Has: true, Stopped: stopped}
	if stopped {
		e.Tracer = 9
	}
	return forward.Look{Listening: true, Envoys: []forward.Envoy{e}}
}

// said are the lines that the user was told.
type said chan string

func (s said) until(t *testing.T, text string) {
	t.Helper()
	late := time.After(10 * time.Second)
	for {
		select {
		case line := <-s:
			if strings.Contains(line, text) {
				return
			}
		case <-late:
			t.Fatalf("never said: %s", text)
		}
	}
}

func podOf(t *testing.T, a app, s *sidecar) (Pod, said) {
	t.Helper()
	here, there := net.Pipe()
	go func() { _ = forward.Serve(there, func(uint64) (int, []forward.Envoy, error) { return 0, nil, nil }) }()
	c, err := forward.New(here)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	a.Client = c
	lines := make(said, 100)
	return Pod{Application: a, Sidecar: s, Name: "pod/x", SidecarName: "the sidecar", Port: 15001,
		Say: func(format string, args ...any) { lines <- fmt.Sprintf(format, args...) }}, lines
}

func send(t *testing.T, ctx context.Context, r Request, p Pod) (all []Result, err error) {
	t.Helper()
	if r.Method == "" {
		r.Method = http.MethodGet
	}
	r.Count, r.Concurrency = max(r.Count, 1), max(r.Concurrency, 1)
	err = Run(ctx, r, p, func(r Result) { all = append(all, r) })
	return all, err
}

func code(err error) int { return fault.From(err).Code }

func TestARequestIsSentAsItIsGiven(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s %s", r.Method, r.Host, r.URL, r.Header.Get("X-A"), body)
	}))
	defer server.Close()
	p, _ := podOf(t, app{}, &sidecar{look: envoy(false)})
	all, err := send(t, t.Context(), Request{Method: "PUT", URL: server.URL + "/a?b=c", Host: "web", Header: http.Header{"X-A": {"1"}}, Body: []byte("body")}, p)
	if err != nil || len(all) != 1 || all[0].Err != nil || string(all[0].Body) != "PUT web /a?b=c 1 body" || all[0].Code != 200 {
		t.Fatalf("%+v, %v", all, err)
	}
	if w := all[0].Path.Words(p); !all[0].Path.Envoy || !strings.Contains(w, "Envoy (pid 7 in the sidecar) has accepted it") {
		t.Errorf("%s", w)
	}
	p, _ = podOf(t, app{past: true}, &sidecar{look: envoy(false)})
	if all, err = send(t, t.Context(), Request{URL: server.URL, Count: 30, Concurrency: 7}, p); err != nil || len(all) != 30 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, r := range all {
		if r.Err != nil || r.Path.Envoy || !strings.Contains(r.Path.Words(p), "past the sidecar") {
			t.Errorf("%+v", r)
		}
	}
}

// A request waits for a stopped Envoy longer than its time, which counts only while Envoy
// runs.
func TestTheTimeOfAStoppedEnvoyDoesNotCount(t *testing.T) {
	goOn := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-goOn }))
	defer server.Close()
	s := &sidecar{look: envoy(true)}
	p, lines := podOf(t, app{}, s)
	result := make(chan []Result, 1)
	const bound = 3 * lookEvery
	begin := time.Now()
	go func() {
		all, _ := send(t, t.Context(), Request{URL: server.URL, Timeout: bound}, p)
		result <- all
	}()
	lines.until(t, "Envoy (pid 7) is stopped in a debugger: the request waits")
	for time.Since(begin) < 2*bound {
		time.Sleep(bound / 10)
	}
	s.set(envoy(false))
	lines.until(t, "Envoy runs on")
	select {
	case all := <-result: // and now its time is over
		if len(all) != 1 || code(all[0].Err) != fault.RequestTimeout("", 0).Code || all[0].Took < 2*bound {
			t.Errorf("%+v", all)
		}
	case <-time.After(10 * time.Second):
		t.Error("its time is never over")
	}
	close(goOn)
}

// What the user has done with Envoy decides what becomes of a connection that is refused.
func TestARefusedConnection(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	for name, x := range map[string]struct {
		port    int
		sidecar *sidecar
		want    int
	}{
		"parked":                         {port, &sidecar{}, fault.Parked("", "", 0, nil).Code},
		"nobody can see":                 {port, nil, fault.NotListening("", "", 0, nil).Code},
		"the destination has refused it": {0, &sidecar{look: envoy(false)}, fault.NotConnected("", "", nil).Code},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := podOf(t, app{port: x.port}, x.sidecar)
			if x.sidecar == nil {
				p.Sidecar = nil
			}
			all, err := send(t, t.Context(), Request{URL: "http://" + address}, p)
			if err != nil || len(all) != 1 || code(all[0].Err) != x.want {
				t.Errorf("%+v, %v", all, err)
			}
		})
	}
	t.Run("Envoy is stopped before it listens", func(t *testing.T) {
		before := envoy(true)
		before.Listening = false
		s := &sidecar{look: before}
		p, lines := podOf(t, app{port: port}, s)
		result := make(chan []Result, 1)
		go func() {
			all, _ := send(t, t.Context(), Request{URL: "http://" + address, Timeout: 5 * time.Second}, p)
			result <- all
		}()
		lines.until(t, "stopped in a debugger, before it listens on port 15001")
		l, err := net.Listen("tcp4", address)
		if err != nil {
			t.Skipf("the port was taken meanwhile: %v", err)
		}
		server := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second}
		defer server.Close()
		go func() { _ = server.Serve(l) }()
		s.set(envoy(false))
		if all := <-result; len(all) != 1 || all[0].Err != nil || all[0].Code != 404 {
			t.Errorf("%+v", all)
		}
	})
}

func TestWhoInterruptsGetsNoFault(t *testing.T) {
	goOn := make(chan struct{})
	came := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came <- struct{}{}; <-goOn }))
	defer server.Close()
	defer close(goOn)
	p, _ := podOf(t, app{}, &sidecar{look: envoy(false)})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-came; cancel() }()
	if all, err := send(t, ctx, Request{URL: server.URL}, p); len(all) != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", all, err)
	}
	// The way to the pod is cut.
	go func() { <-came; _ = p.Application.(app).Close() }()
	if _, err := send(t, t.Context(), Request{URL: server.URL}, p); code(err) != fault.NoForwarding("").Code {
		t.Errorf("%v", err)
	}
}
