package warm

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/envoydbg/envoydbg/adapter/trace"
	"github.com/envoydbg/envoydbg/internal/process"
)

// State is where a Keeper stands.
type State string

// The states; doc.go draws them.
const (
	None    State = "none"    // no session has said yet what the next one will want
	Waiting State = "waiting" // for the end of a build, or of a session
	Warming State = "warming" // LLDB reads the symbols
	Ready   State = "ready"
	Taken   State = "taken" // a session has it
	Gone    State = "gone"  // until the next session
)

// Status is where a Keeper stands, for people.
type Status struct {
	State   State
	Program string // "" in the state none
	PID     int    // 0 for no process
	Why     string // there is none
}

// Options configure a Keeper.
type Options struct {
	// Dir is an existing folder of mode 0700, for those of the processes. Its path is as
	// short as a session's must be.
	Dir   string
	Trace *trace.Trace
	// Short says why memory is short for who has need bytes or wants them; "" where it is
	// not. Default: [process.MemoryShort].
	Short func(need int64) string
	// Idle is how long after the last session a process is kept. Default: half an hour.
	Idle time.Duration
	// Quiet is how long files must not change before they are taken for complete: behind a
	// linker there is often another tool. Default: a second.
	Quiet time.Duration
	// Every is how often memory is looked at. Default: 5 s.
	Every time.Duration
}

const (
	// room is how much memory others are left, in bytes.
	room = 512 << 20
	// LLDB 19 and 22 take at most 2.2 times the size of a program while they read it and
	// fill the index cache (docs/size.md).
	times = 2.5
	// writing is how often a file is looked at that somebody writes.
	writing = 500 * time.Millisecond
	// deaths is how often in a row a process may end by itself.
	deaths = 2
	// takeTime bounds the wait of a session for the owner and the file system.
	takeTime = 500 * time.Millisecond
	// closeTime bounds the end of a process.
	closeTime = 3 * time.Second
)

// Keeper keeps the process. Its methods may be called from any goroutine.
type Keeper struct {
	opts   Options
	ctx    context.Context
	cancel context.CancelFunc
	calls  chan func()
	wait   sync.WaitGroup // all but the owner
	owner  chan struct{}  // closed when the owner has ended
	news   chan struct{}  // has one element when Status may have changed since it was taken

	// What follows is the owner's.

	state   State
	why     string
	want    *Want // of the last session
	active  int   // sessions that use this
	last    time.Time
	seen    look
	since   time.Time // seen has been like this
	died    int
	filled  string // what the index cache has, or should: the identity
	number  int    // of the next folder
	current *candidate
	watched string // the files
	unwatch context.CancelFunc
	looking bool
	again   bool        // something has changed since that look began
	timer   *time.Timer // of the next look
}

// candidate is a process that is being warmed, stands by or is being ended.
type candidate struct {
	identity string
	cancel   context.CancelFunc
	process  *Process // nil until it is ready
	pid      int
	ending   bool
	// claimed: a session has it, or its end has begun; whoever comes first.
	claimed atomic.Bool
}

// New returns a Keeper that keeps nothing yet.
func New(o Options) *Keeper {
	if o.Short == nil {
		o.Short = process.MemoryShort
	}
	o.Idle, o.Quiet, o.Every = or(o.Idle, 30*time.Minute), or(o.Quiet, time.Second), or(o.Every, 5*time.Second)
	k := &Keeper{opts: o, calls: make(chan func()), owner: make(chan struct{}), news: make(chan struct{}, 1), state: None}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	go k.own()
	return k
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

// own is the owner.
func (k *Keeper) own() {
	defer close(k.owner)
	tick := time.NewTicker(k.opts.Every)
	defer tick.Stop()
	k.timer = time.NewTimer(time.Hour)
	defer k.timer.Stop()
	for {
		select {
		case call := <-k.calls:
			call()
		case <-tick.C:
			k.checkRoom()
		case <-k.timer.C:
			k.look()
		case <-k.ctx.Done():
			k.drop("the window closes")
			return
		}
	}
}

// do has the owner run f. It is false when the owner has ended.
func (k *Keeper) do(f func()) bool {
	select {
	case k.calls <- f:
		return true
	case <-k.owner:
		return false
	}
}

// ask runs f on the owner and waits for it.
func (k *Keeper) ask(f func()) {
	done := make(chan struct{})
	if k.do(func() { defer close(done); f() }) {
		<-done
	}
}

// Take implements Source. A process that does not fit is ended: it would only compete with the
// session's own.
func (k *Keeper) Take(w Want) (taken *Process, why string) {
	now := k.now(w)
	k.ask(func() {
		k.active++
		k.filled = now.identity // the session fills it
		if taken = k.give(w, now); taken != nil {
			return
		}
		switch {
		case k.current != nil:
			k.drop("a session has begun that it does not fit, or for which it was not ready")
		case k.state == Waiting:
			k.enter(Waiting, "a session runs")
		}
		why = k.why
	})
	return taken, why
}

// lend is Take for a session of another process. One that does not fit stays.
func (k *Keeper) lend(w Want) (taken *Process, why string) {
	now := k.now(w)
	k.ask(func() {
		if taken = k.give(w, now); taken != nil {
			k.active++
		} else if why = k.why; k.state == Ready {
			why = "it does not fit: another build, lldb-dap, folder, or other attributes or environment"
		}
	})
	return taken, why
}

// now looks at the files of what a session wants, and of what the last session has found of it.
func (k *Keeper) now(w Want) (now look) {
	looked := make(chan look, 1)
	go func() {
		k.ask(func() {
			if k.want != nil && k.want.fits(w) {
				w.Found = k.want.Found
			}
		})
		looked <- w.look()
	}()
	select {
	case now = <-looked:
	case <-time.After(takeTime): // a file system that hangs
	}
	return now
}

// give gives a session the process that stands by, if it fits; nil if not. It runs on the owner.
func (k *Keeper) give(w Want, now look) *Process {
	c := k.current
	if k.state != Ready || !c.process.want.fits(w) || c.identity != now.identity || !c.claimed.CompareAndSwap(false, true) {
		return nil
	}
	k.current = nil
	c.cancel()
	k.enter(Taken, "a session has it")
	return c.process
}

// Next implements Source.
func (k *Keeper) Next(w Want) {
	k.ask(func() {
		k.want, k.died = &w, 0
		k.watch()
	})
}

// Done implements Source.
func (k *Keeper) Done() {
	k.ask(func() {
		k.active--
		k.last, k.died = time.Now(), 0
		switch {
		case k.active > 0 || k.current != nil:
		case k.want == nil:
			k.enter(None, k.why)
		default:
			k.enter(Waiting, "its files are looked at")
		}
		k.look()
	})
}

// Drop ends what stands by: the user wants none.
func (k *Keeper) Drop() {
	k.ask(func() {
		k.want = nil
		k.watch()
		k.drop("")
		k.enter(None, "it is switched off")
	})
}

// News has an element when Status may say something else than when the last one was taken.
func (k *Keeper) News() <-chan struct{} { return k.news }

// Status says where it stands.
func (k *Keeper) Status() (s Status) {
	k.ask(func() {
		s = Status{State: k.state, Why: k.why}
		if k.want != nil {
			s.Program = k.want.Program
		}
		if k.current != nil {
			s.PID = k.current.pid
		}
	})
	return s
}

// Close ends everything and returns when nothing is left, or after some seconds.
func (k *Keeper) Close() {
	k.cancel()
	<-k.owner
	ended := make(chan struct{})
	go func() { k.wait.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(closeTime):
		k.opts.Trace.Line("warm", "something does not end: a file system hangs")
	}
}
