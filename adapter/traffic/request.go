package traffic

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper/forward"
)

// Request is what is sent, once or more often.
type Request struct {
	Method, URL string
	Header      http.Header
	Host        string // empty for that of the URL
	Body        []byte
	// Count is how often it is sent, and Concurrency how many are under way at a time; at
	// least 1 each.
	Count, Concurrency int
	// Timeout bounds each of them; 0 for none.
	Timeout time.Duration
	// Insecure does not check the certificate of the other side.
	Insecure bool
}

// Forward is where connections come from, or can be looked at: a *[forward.Client].
type Forward interface {
	Dial(ctx context.Context, address string) (*forward.Conn, error)
	Peer(ctx context.Context, of *forward.Conn) (forward.Peer, error)
	Look(ctx context.Context, port int, inode uint64) (forward.Look, error)
	Done() <-chan struct{}
}

// Pod is where requests are sent from.
type Pod struct {
	// Application is in the application's container, and Sidecar in that of Envoy; the
	// latter is nil where nobody can look.
	Application, Sidecar Forward
	// Name and SidecarName name the containers for the user.
	Name, SidecarName string
	// Port is where Envoy gets redirected connections.
	Port int
	// Say tells the user what a request waits for.
	Say func(format string, args ...any)
}

// Path is the way of a request.
type Path struct {
	// From and To are the addresses of the connection as the application sees it.
	From string `json:"from"`
	To   string `json:"to"`
	// Redirected is the address of its other end; empty where nobody in the pod has that.
	Redirected string `json:"redirected,omitempty"`
	// Envoy is true when an Envoy of the sidecar has the other end: the process PID, or 0
	// where nobody could look and the user of that end is the proof.
	Envoy bool `json:"envoy"`
	PID   int  `json:"pid,omitempty"`
	UID   int  `json:"uid,omitempty"`
	// Accepted says that a process has taken the connection, and Unread how many bytes it
	// has not read.
	Accepted bool `json:"accepted"`
	Unread   int  `json:"unread,omitempty"`
	// Closed says that the process has closed it.
	Closed bool `json:"closed,omitempty"`
}

// Result is what has become of one request.
type Result struct {
	Proto   string        `json:"proto,omitempty"`
	Status  string        `json:"status,omitempty"` // "200 OK"
	Code    int           `json:"code,omitempty"`
	Header  http.Header   `json:"header,omitempty"`
	Body    []byte        `json:"-"`
	Seconds float64       `json:"seconds"`
	Took    time.Duration `json:"-"`
	Path    Path          `json:"path"`
	Err     error         `json:"-"` // a fault
}

// run is one call of Run.
type run struct {
	Request
	pod       Pod
	transport *http.Transport
	clock     *clock
	ctx       context.Context // of the call

	mu    sync.Mutex
	said  string                         // last
	first map[*forward.Conn]forward.Peer // what was at the other end at the beginning
	paths map[*forward.Conn]Path         // of those that have come through, for the next request on them
}

// maxBody bounds the body of a response, in bytes: all of it is kept.
const maxBody = 64 << 20

// Run sends the request, and calls took with each result in the order of their ends, one
// after the other. Its error is that of ctx, or that the connection to the pod was lost.
func Run(ctx context.Context, r Request, pod Pod, took func(Result)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &run{Request: r, pod: pod, ctx: ctx, clock: newClock(), first: map[*forward.Conn]forward.Peer{}, paths: map[*forward.Conn]Path{}}
	s.transport = &http.Transport{
		DialContext:         s.dial,
		DisableCompression:  true,
		MaxIdleConnsPerHost: r.Concurrency,
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: r.Insecure},
	}
	defer s.transport.CloseIdleConnections()
	stopWatch := context.AfterFunc(ctx, s.clock.end)
	defer stopWatch()

	var work sync.WaitGroup
	work.Go(func() {
		select {
		case <-pod.Application.Done():
			cancel(fault.NoForwarding(pod.Name))
		case <-ctx.Done():
		}
	})
	work.Go(func() { s.watch(ctx) })
	next, results := make(chan struct{}), make(chan Result)
	var senders sync.WaitGroup
	for range min(r.Concurrency, r.Count) {
		senders.Go(func() {
			for range next {
				results <- s.send(ctx)
			}
		})
	}
	go func() {
		defer close(results)
		for range r.Count {
			select {
			case next <- struct{}{}:
				continue
			case <-ctx.Done():
			}
			break
		}
		close(next)
		senders.Wait()
	}()
	for result := range results {
		if result.Err == nil || ctx.Err() == nil { // what has come counts, whatever has ended the rest
			took(result)
		}
	}
	err := context.Cause(ctx)
	cancel(nil)
	work.Wait()
	return err
}

// say tells the user something, unless it was the last that was told.
func (s *run) say(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if what != s.said {
		s.said = what
		s.pod.Say("● %s\n", what)
	}
}

// send sends one request and reads the response.
func (s *run) send(ctx context.Context) (result Result) {
	begin := time.Now()
	defer func() {
		result.Took = time.Since(begin)
		result.Seconds = result.Took.Seconds()
	}()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer s.clock.after(s.Timeout, func() { cancel(errLate) })()
	var conn *forward.Conn
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { conn = underlying(info.Conn) }})
	request, err := http.NewRequestWithContext(traced, s.Method, s.URL, bytes.NewReader(s.Body))
	if err != nil {
		result.Err = err
		return result
	}
	if request.Host = s.Host; s.Header != nil {
		request.Header = s.Header.Clone()
	}
	defer s.clock.under()()
	response, err := s.transport.RoundTrip(request)
	var body []byte
	if err == nil {
		defer response.Body.Close()
		result.Path = s.path(ctx, conn)
		result.Proto, result.Status, result.Code, result.Header = response.Proto, response.Status, response.StatusCode, response.Header
		body, err = io.ReadAll(io.LimitReader(response.Body, maxBody+1))
		if err == nil && len(body) > maxBody {
			err = errors.New("the body is larger than 64 MiB")
		}
	}
	if result.Body = body; err != nil {
		result.Err = s.why(ctx, conn, err)
	}
	return result
}

var errLate = errors.New("the time is over")

// why makes the fault of a request without a whole response.
func (s *run) why(ctx context.Context, conn *forward.Conn, err error) error {
	var known *fault.Fault
	cause := context.Cause(ctx)
	switch {
	case errors.As(cause, &known), errors.As(err, &known):
		return known
	case cause != nil && cause != errLate:
		return cause
	}
	var evidence []string
	if conn != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookTime)
		defer cancel()
		evidence = s.look(ctx, conn).lines(s.pod)
	}
	if cause == errLate {
		return fault.RequestTimeout(s.URL, s.Timeout, evidence...)
	}
	return fault.NoResponse(s.URL, err, evidence...)
}

// underlying is the connection below TLS.
func underlying(c net.Conn) *forward.Conn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	f, _ := c.(*forward.Conn)
	return f
}
