//go:build linux

package server

import (
	"fmt"
	"io"
	"sort"
	"sync"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

const (
	// storeKept is how much of the newest output a daemon keeps, in bytes.
	storeKept = 8 << 20
	// storeAhead is how far the agent may be ahead of an adapter that is connected.
	// What it writes beyond that stays in its pipe, and then the agent waits.
	storeAhead = 1 << 20
)

// store keeps the newest output of the agent and Envoy, for an adapter that may be
// cut off for a while and for others who want to see it from the start. While the
// adapter is connected nothing that it has not taken is dropped: the agent waits. The
// agent never waits for an adapter that is not there.
type store struct {
	kept, ahead int64

	mu       sync.Mutex
	changed  sync.Cond
	pieces   []piece
	begin    int64 // number of the first byte that is kept
	end      int64 // bytes put so far
	there    bool  // the adapter is connected
	taken    int64 // the number of the byte that the adapter takes next
	ending   bool  // the agent is being ended: nothing waits
	left     bool  // the adapter has gone for good
	finished bool  // nothing more comes
}

// piece is some bytes of one stream.
type piece struct {
	helper.OutputParams
	at int64 // number of the first byte
}

func newStore(kept, ahead int64) *store {
	s := &store{kept: kept, ahead: ahead}
	s.changed.L = &s.mu
	return s
}

// put implements agentOutput.
func (s *store) put(stream string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.there && !s.ending && !s.left && s.end-s.taken >= s.ahead {
		s.changed.Wait()
	}
	if n := len(s.pieces) - 1; n >= 0 && s.pieces[n].Stream == stream && len(s.pieces[n].Data)+len(data) <= helper.MaxOutput {
		s.pieces[n].Data = append(s.pieces[n].Data, data...)
	} else {
		s.pieces = append(s.pieces, piece{helper.OutputParams{Stream: stream, Data: append([]byte(nil), data...)}, s.end})
	}
	s.end += int64(len(data))
	for s.end-s.begin > s.kept {
		s.begin += int64(len(s.pieces[0].Data))
		s.pieces[0] = piece{}
		s.pieces = s.pieces[1:]
	}
	s.changed.Broadcast()
}

// take returns the piece at a byte's number, and the number after it. Where bytes are
// gone a line that says so comes first. Without wait it is false at the end of what
// there is; with it at the end of all.
func (s *store) take(at int64, wait, adapter bool) (p helper.OutputParams, next int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if adapter {
		s.taken = at
		s.changed.Broadcast()
	}
	for at >= s.end {
		if !wait || s.finished || adapter && s.left {
			return p, at, false
		}
		s.changed.Wait()
	}
	if at < s.begin {
		text := fmt.Sprintf("\nenvoydbg: %d bytes of output are missing here: the newest %d are kept while nobody reads them.\n", s.begin-at, s.kept)
		return helper.OutputParams{Stream: "stderr", Data: []byte(text)}, s.begin, true
	}
	i := sort.Search(len(s.pieces), func(i int) bool { return s.pieces[i].at > at }) - 1
	p = s.pieces[i].OutputParams
	p.Data = p.Data[at-s.pieces[i].at:]
	return p, at + int64(len(p.Data)), true
}

// send implements agentOutput.
func (s *store) send(w io.Writer) { s.copy(w, true, true) }

// copy writes the output from the start as frames; with follow also what comes later.
func (s *store) copy(w io.Writer, follow, adapter bool) {
	at := int64(0)
	for {
		p, next, ok := s.take(at, follow, adapter)
		if !ok || helper.WriteOutput(w, p) != nil {
			return
		}
		at = next
	}
}

// connected says whether the adapter is there.
func (s *store) connected(on bool) { s.set(func() { s.there = on }) }

// drain implements agentOutput.
func (s *store) drain(on bool) { s.set(func() { s.ending = on }) }

// close implements agentOutput. Others still get what is kept and what comes.
func (s *store) close() { s.set(func() { s.left = true }) }

// finish says that nothing more comes.
func (s *store) finish() { s.set(func() { s.finished = true }) }

func (s *store) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	s.changed.Broadcast()
}

// total implements agentOutput.
func (s *store) total() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end
}
