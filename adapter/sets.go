package adapter

import (
	"github.com/envoydbg/envoydbg/adapter/breakpoints"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// sets keeps the order of requests that set breakpoints. Of those that replace the
// same breakpoints one comes after the other: LLDB may have to be asked twice for the
// first. It is used under the router's lock.
type sets struct {
	waiting map[string][]func() // by key, the one under way first
	after   []func()            // to be done when none is under way
	told    map[string]bool     // what the user has been told of breakpoints
}

func newSets() sets {
	return sets{waiting: map[string][]func(){}, told: map[string]bool{}}
}

func (s *sets) open() bool { return len(s.waiting) > 0 }

// begin does a set when those before it are done.
func (s *sets) begin(key string, do func()) {
	s.waiting[key] = append(s.waiting[key], do)
	if len(s.waiting[key]) == 1 {
		do()
	}
}

func (s *sets) done(key string) {
	if s.waiting[key] = s.waiting[key][1:]; len(s.waiting[key]) > 0 {
		s.waiting[key][0]()
		return
	}
	delete(s.waiting, key)
	if s.open() {
		return
	}
	after := s.after
	s.after = nil
	for _, do := range after {
		do()
	}
}

// settled does something when no set is under way.
func (s *sets) settled(do func()) {
	if s.open() {
		s.after = append(s.after, do)
		return
	}
	do()
}

// forwardSet sends a request that sets breakpoints, once for each path that LLDB
// must be asked for, and gives the one answer to done, with the lock held. The answer
// says why breakpoints have no place.
func (r *router) forwardSet(m *dapio.Message, done lldb.Answer) {
	key := breakpoints.Key(m)
	r.sets.begin(key, func() {
		r.sendSet(m, func(answer *dapio.Message, err error) {
			done(answer, err)
			if err == nil && answer.Success {
				r.tellUnbound(m)
			}
			r.sets.done(key)
		})
	})
}

func (r *router) sendSet(m *dapio.Message, done lldb.Answer) {
	requests := r.breakpoints.Requests(m)
	answers := make([]*dapio.Message, len(requests))
	left := len(requests)
	var failed error
	all := func() {
		switch {
		case failed != nil:
			done(nil, failed)
		case r.breakpoints.Place(m, answers):
			r.sendSet(m, done)
		default:
			r.explain(m, func() { done(r.breakpoints.Answer(m, answers), nil) })
		}
	}
	if left == 0 {
		all()
		return
	}
	one := func(i int, answer *dapio.Message, err error) {
		answers[i] = answer
		if err != nil {
			failed = err
		}
		if left--; left == 0 {
			all()
		}
	}
	for i, request := range requests {
		_, err := r.debugger.Call(request, func(answer *dapio.Message, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			one(i, answer, err)
		})
		if err != nil {
			one(i, nil, err)
		}
	}
}

// explain finds out why breakpoints have no place, which reads files, and then calls
// done with the lock held.
func (r *router) explain(m *dapio.Message, done func()) {
	unbound := r.breakpoints.Unbound(m)
	if len(unbound) == 0 {
		done()
		return
	}
	explainer, sources := r.explainer, r.paths.Current()
	go func() {
		defer r.trace.Recover("a request that sets breakpoints")
		reasons := explainer.Explain(sources, unbound)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.breakpoints.Explain(m, reasons)
		done()
	}()
}

// tellUnbound tells the user, once for each, of breakpoints that are not bound. Before
// Envoy runs, the startup tells of all together.
func (r *router) tellUnbound(m *dapio.Message) {
	for _, s := range r.breakpoints.StatesOf(m) {
		if s.Hit != "" {
			r.faultOnce(fault.HitCondition(s.Name, s.Hit))
		}
		if s.Shared != "" {
			r.faultOnce(fault.SharedLine(s.Name, s.Shared))
		}
		switch {
		case s.Bound || r.sequence != nil && r.state < stateRunning:
		case s.Pending:
			if text := s.Name + " is pending: " + s.Text; r.first(text) {
				r.client.output(console, text+"\n")
			}
		default:
			r.faultOnce(fault.Unbound(s.Name, s.Text))
		}
	}
}

func (r *router) faultOnce(f *fault.Fault) {
	if r.first(f.Error()) {
		r.client.fault(f)
	}
}

// first reports whether a text has not been told before, and notes that it has.
func (r *router) first(text string) bool {
	told := r.sets.told[text]
	r.sets.told[text] = true
	return !told
}

// Breakpoints calls settled with how the editor's breakpoints stand, once the requests
// under way that set some are done.
func (s *Session) Breakpoints(settled func([]breakpoints.State)) {
	r := s.router
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sets.settled(func() { settled(r.breakpoints.States()) })
}
