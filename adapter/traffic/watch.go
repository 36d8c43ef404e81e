package traffic

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// lookEvery is between two looks at Envoy. There is no event for who has not
	// stopped it.
	lookEvery = 250 * time.Millisecond
	// lookTime bounds a look whose outcome is only evidence.
	lookTime = 5 * time.Second
)

// watch tells while requests are under way when Envoy is stopped and when it runs on, and
// stops the clock in between.
func (s *run) watch(ctx context.Context) {
	if s.pod.Sidecar == nil {
		return
	}
	waited := false
	for sleep(ctx, lookEvery) {
		l, err := s.pod.Sidecar.Look(ctx, s.pod.Port, 0)
		if err != nil {
			return
		}
		is := ""
		for _, e := range l.Envoys {
			if e.Stopped {
				is = stopped(e)
			}
		}
		s.clock.pause(is != "")
		if !l.Listening {
			continue // dial tells it
		}
		switch n := s.clock.count(); {
		case is != "" && n > 0:
			s.say(fmt.Sprintf("%s: %s until it runs on.", is, waiting(n)))
			waited = true
		case is == "" && waited:
			s.say("Envoy runs on.")
			waited = false
		}
	}
}

func waiting(n int) string {
	if n == 1 {
		return "the request waits"
	}
	return fmt.Sprintf("%d requests wait", n)
}

// clock counts the time in which Envoy runs.
type clock struct {
	mu      sync.Mutex
	paused  bool
	ended   bool
	waits   map[*wait]struct{}
	running int // requests under way
}

// wait is one timer of the clock.
type wait struct {
	left  time.Duration
	since time.Time // when timer was started
	timer *time.Timer
	do    func()
}

func newClock() *clock { return &clock{waits: map[*wait]struct{}{}} }

// after calls do when the clock has counted d, unless the function that it returns was
// called. It never does for 0.
func (c *clock) after(d time.Duration, do func()) (stop func()) {
	if d == 0 {
		return func() {}
	}
	w := &wait{left: d, do: do}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits[w] = struct{}{}
	if !c.paused && !c.ended {
		w.start()
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waits, w)
		w.stop()
	}
}

func (w *wait) start() { w.since, w.timer = time.Now(), time.AfterFunc(w.left, w.do) }

func (w *wait) stop() {
	if w.timer != nil {
		w.timer.Stop()
		w.left = max(0, w.left-time.Since(w.since))
		w.timer = nil
	}
}

// pause stops the clock, or lets it go on.
func (c *clock) pause(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if on == c.paused || c.ended {
		return
	}
	c.paused = on
	for w := range c.waits {
		if on {
			w.stop()
		} else {
			w.start()
		}
	}
}

// end stops the clock for good.
func (c *clock) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for w := range c.waits {
		w.stop()
	}
}

// under counts a request as under way until the function that it returns is called.
func (c *clock) under() (over func()) {
	c.add(1)
	return func() { c.add(-1) }
}

func (c *clock) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running += n
}

func (c *clock) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running
}
