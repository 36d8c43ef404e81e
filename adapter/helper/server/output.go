//go:build linux

package server

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

const (
	// outputHeld bounds the output held for an adapter that does not read, in
	// bytes. What the agent writes beyond it stays in its pipe, and then the
	// agent waits.
	outputHeld = 1 << 20
	// drainPatience is how long output waits for room while the agent is being
	// ended: its end must not depend on who reads.
	drainPatience = 100 * time.Millisecond
)

// output holds what the agent and Envoy write until the adapter takes it. While
// the session lasts nothing is dropped: whoever puts waits for room.
type output struct {
	limit int // bytes held

	mu      sync.Mutex
	changed sync.Cond
	pieces  []helper.OutputParams
	held    int
	read    int64 // bytes put so far, for ExitParams.Output
	taken   int   // pieces taken so far
	ending  bool  // the agent is being ended: what finds no room in time is dropped
	lost    int   // bytes dropped since this was last said
	closed  bool  // nobody takes any more
}

func newOutput(limit int) *output {
	o := &output{limit: limit}
	o.changed.L = &o.mu
	return o
}

// put appends what was read from a stream, as soon as there is room; data is
// copied. Consecutive pieces of one stream are joined, so that a program that
// writes line by line costs no frame for each line when the adapter is behind.
func (o *output) put(stream string, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lost > 0 || !o.room() {
		o.lost += len(data)
		return
	}
	o.held += len(data)
	o.read += int64(len(data))
	if n := len(o.pieces) - 1; n >= 0 && o.pieces[n].Stream == stream && len(o.pieces[n].Data)+len(data) <= helper.MaxOutput {
		o.pieces[n].Data = append(o.pieces[n].Data, data...)
	} else {
		o.pieces = append(o.pieces, helper.OutputParams{Stream: stream, Data: append([]byte(nil), data...)})
	}
	o.changed.Broadcast()
}

// room waits for room. It is false when there will be none: nobody takes any
// more, or the agent is being ended and nothing has been taken for a while.
func (o *output) room() bool {
	since, taken := time.Now(), o.taken
	for !o.closed && o.held >= o.limit {
		if o.taken != taken {
			since, taken = time.Now(), o.taken
		}
		if o.ending {
			left := drainPatience - time.Since(since)
			if left <= 0 {
				return false
			}
			defer time.AfterFunc(left, o.wake).Stop()
		}
		o.changed.Wait()
	}
	return !o.closed
}

func (o *output) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changed.Broadcast()
}

// take waits for the next piece; false when the output is closed. Where output
// was dropped, one line that says so stands in its place.
func (o *output) take() (helper.OutputParams, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.closed && len(o.pieces) == 0 && o.lost == 0 {
		o.changed.Wait()
	}
	if o.closed {
		return helper.OutputParams{}, false
	}
	o.taken++
	o.changed.Broadcast()
	if len(o.pieces) == 0 {
		text := fmt.Sprintf("\nenvoydbg: %d bytes of output are missing here: nobody read them while the agent was ended.\n", o.lost)
		o.lost = 0
		return helper.OutputParams{Stream: "stderr", Data: []byte(text)}, true
	}
	p := o.pieces[0]
	o.pieces[0] = helper.OutputParams{}
	o.pieces = o.pieces[1:]
	o.held -= len(p.Data)
	return p, true
}

// drain begins and finishes the end of an agent, during which no output waits
// for long.
func (o *output) drain(on bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ending = on
	o.changed.Broadcast()
}

// total is how many bytes have been read from the agent.
func (o *output) total() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.read
}

// close drops what is held and what comes.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.pieces = true, nil
	o.changed.Broadcast()
}

// send writes the output as frames, until it is closed or w fails. Then nobody
// reads what the agent writes, which is drained all the same.
func (o *output) send(w io.Writer) {
	defer o.close()
	for {
		p, ok := o.take()
		if !ok || helper.WriteOutput(w, p) != nil {
			return
		}
	}
}

// pump puts what comes through r until all who hold its other end are gone.
func pump(o agentOutput, stream string, r *os.File) {
	defer r.Close()
	buf := make([]byte, helper.MaxOutput)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			o.put(stream, buf[:n])
		}
		if err != nil {
			return
		}
	}
}
