package kube

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Who observes a context learns of its requests, without their queries, and nobody else's.
func TestRequestsAreObserved(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	client := &http.Client{Transport: observed{http.DefaultTransport}}
	var seen []Request
	ctx := WithObserver(t.Context(), func(r Request) { seen = append(seen, r) })
	get := func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/v1/pods/x/exec?command=secret", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err == nil {
			_ = answer.Body.Close()
		}
		return err
	}
	if err := errors.Join(get(ctx), get(t.Context())); err != nil {
		t.Fatal(err)
	}
	server.Close()
	if get(ctx) == nil {
		t.Fatal("a server that has ended answers")
	}
	if len(seen) != 2 {
		t.Fatalf("%d requests are seen: %+v", len(seen), seen)
	}
	if r := seen[0]; r.Method != "GET" || r.Path != "/api/v1/pods/x/exec" || r.Status != 404 || r.Err != nil {
		t.Errorf("%+v", r)
	}
	if r := seen[1]; r.Status != 0 || r.Err == nil {
		t.Errorf("%+v", r)
	}
}
