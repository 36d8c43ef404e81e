package adapter

import (
	"io"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// Refuse stands in for a session that cannot be had: it answers the client's first
// request with the fault, which an editor shows, and returns. A client that sends none,
// or does not read, is not waited for longer than that.
func Refuse(in io.Reader, out io.Writer, f *fault.Fault, wait time.Duration) {
	first := make(chan *dapio.Message, 1)
	go func() {
		m, err := dapio.NewReader(in).Next()
		if err != nil || m.Type != dapio.Request {
			m = nil
		}
		first <- m
	}()
	late := time.After(wait)
	select {
	case m := <-first:
		if m == nil {
			return
		}
		c := newClient(dapio.NewWriter(out))
		c.refuse(m, f, false)
		c.out.Close()
		select {
		case <-c.out.Done():
		case <-late:
		}
	case <-late:
	}
}
