package kube

import (
	"context"
	"net/http"
	"time"
)

// Request is one request to the API server that has been answered, or has failed. A stream
// such as that of exec is answered when it is open.
type Request struct {
	// Method and Path are those of HTTP. The query is left out: it may hold a command.
	Method, Path string
	Status       int // 0 with an error
	Took         time.Duration
	Err          error
}

type observerKey struct{}

// WithObserver returns a context whose requests to an API server are told to observe, each
// on the goroutine that makes it.
func WithObserver(ctx context.Context, observe func(Request)) context.Context {
	return context.WithValue(ctx, observerKey{}, observe)
}

// observed tells the observer of a request's context.
type observed struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (o observed) RoundTrip(r *http.Request) (*http.Response, error) {
	observe, ok := r.Context().Value(observerKey{}).(func(Request))
	if !ok {
		return o.next.RoundTrip(r)
	}
	began := time.Now()
	response, err := o.next.RoundTrip(r)
	seen := Request{Method: r.Method, Path: r.URL.Path, Took: time.Since(began), Err: err}
	if err == nil {
		seen.Status = response.StatusCode
	}
	observe(seen)
	return response, err
}
