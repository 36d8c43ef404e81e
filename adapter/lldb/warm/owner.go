package warm

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/envoydbg/envoydbg/internal/watch"
)

// What follows runs on the owner.

// enter changes the state.
func (k *Keeper) enter(to State, why string) {
	if k.state != to || k.why != why {
		k.opts.Trace.Line("warm", "%s → %s: %s", k.state, to, why)
	}
	k.state, k.why = to, why
	select {
	case k.news <- struct{}{}:
	default: // who reads it has not asked yet
	}
}

// idle reports whether nothing may be done now: no session has been for long, or one is.
func (k *Keeper) idle() bool {
	return k.want == nil || k.active > 0 || k.state == Gone || k.ctx.Err() != nil
}

// watch follows the files of the program that is wanted.
func (k *Keeper) watch() {
	files := ""
	if k.want != nil {
		files = fmt.Sprint(k.want.files())
	}
	if files == k.watched {
		return
	}
	if k.unwatch != nil {
		k.unwatch()
		k.unwatch = nil
	}
	if k.watched = files; k.want == nil {
		return
	}
	ctx, cancel := context.WithCancel(k.ctx)
	k.unwatch = cancel
	paths := k.want.files()
	k.wait.Go(func() {
		err := watch.Folders(ctx, func() map[string]bool {
			folders := map[string]bool{}
			for _, path := range paths {
				watch.Path(folders, path, "")
			}
			return folders
		}, func() error { k.do(k.look); return nil })
		if err != nil {
			k.opts.Trace.Line("warm", "rebuilds are noticed when a session begins, and not before: %v", err)
		}
	})
}

// look has the files looked at, unless nothing would come of it.
func (k *Keeper) look() {
	if k.idle() {
		return
	}
	if k.looking {
		k.again = true
		return
	}
	k.looking = true
	w := *k.want
	k.wait.Go(func() {
		now := w.look()
		k.do(func() {
			k.looking = false
			if k.again {
				k.again = false
				k.look()
				return
			}
			k.looked(now)
		})
	})
}

// looked takes what the files are, and begins a process when they are complete and there is
// none of them.
func (k *Keeper) looked(now look) {
	if k.idle() {
		return
	}
	if now.identity != k.seen.identity {
		k.since = time.Now()
	}
	k.seen = now
	if c := k.current; c != nil {
		if c.identity == now.identity || c.ending {
			return // the end of the other looks again
		}
		k.drop("the program, its debug information, lldb-dap or ~/.lldbinit has changed")
		return
	}
	quiet := time.Since(k.since)
	switch {
	case now.writing:
		k.enter(Waiting, "the program is being written")
		k.timer.Reset(writing)
	case quiet < k.opts.Quiet:
		k.enter(Waiting, "the program has just been written")
		k.timer.Reset(k.opts.Quiet - quiet)
	default:
		if short := k.opts.Short(int64(times*float64(now.size)) + room); short != "" {
			k.enter(Gone, short)
			return
		}
		k.begin(now)
	}
}

// read starts a process and has it read the symbols. After an error nothing is left of it.
func (k *Keeper) read(ctx context.Context, c *candidate, dir string, w Want, size int64, forGood bool) (*Process, error) {
	p, err := start(ctx, dir, w, size, forGood, k.opts.Trace)
	if err != nil {
		return nil, err
	}
	k.do(func() { c.pid = p.PID() })
	if err := p.warm(ctx, size, k.opts.Trace); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// begin begins a process. After a build that no session has debugged, another one fills
// LLDB's index cache before it: who reads a cache has half of the memory of who fills it,
// and the long part is done by one that can have the lowest priority, since nobody takes it.
func (k *Keeper) begin(now look) {
	k.number++
	dir := filepath.Join(k.opts.Dir, fmt.Sprintf("w%d", k.number))
	ctx, cancel := context.WithCancel(k.ctx)
	c := &candidate{identity: now.identity, cancel: cancel}
	k.current = c
	k.enter(Warming, "LLDB reads the symbols")
	w := *k.want
	fill := w.IndexCache && k.filled != now.identity
	k.filled = now.identity
	k.wait.Go(func() {
		defer cancel()
		if fill {
			if filler, err := k.read(ctx, c, dir, w, now.size, true); err == nil {
				filler.Close()
			}
		}
		p, err := k.read(ctx, c, dir, w, now.size, false)
		if err == nil {
			k.do(func() {
				if !c.ending {
					c.process = p
					k.enter(Ready, fmt.Sprintf("pid %d has the symbols", c.pid))
				}
			})
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-p.gone:
				err = errEnded
			}
		}
		if !c.claimed.CompareAndSwap(false, true) {
			return // its session closes it
		}
		if p != nil {
			p.Close()
		}
		k.do(func() { k.ended(c, err) })
	})
}

// drop ends the process.
func (k *Keeper) drop(why string) {
	if c := k.current; c != nil && !c.ending {
		c.ending = true
		c.cancel()
		k.enter(Waiting, why)
	}
}

// ended: nothing of a process is left.
func (k *Keeper) ended(c *candidate, err error) {
	k.current = nil
	if !c.ending {
		k.opts.Trace.Line("warm", "pid %d: %v", c.pid, err)
		if k.died++; k.died > deaths {
			k.enter(Gone, fmt.Sprintf("it has ended %d times: %v", k.died, err))
			return
		}
		k.enter(Waiting, fmt.Sprintf("it has ended: %v", err))
	}
	k.look()
}

// checkRoom ends a process that nobody has needed for long, or whose memory others need.
func (k *Keeper) checkRoom() {
	if k.current == nil || k.current.ending {
		return
	}
	why := k.opts.Short(room)
	if time.Since(k.last) > k.opts.Idle {
		why = fmt.Sprintf("there was no session for %v", k.opts.Idle)
	}
	if why != "" {
		k.drop(why)
		k.enter(Gone, why)
	}
}
