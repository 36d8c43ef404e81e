//go:build linux

package server

import (
	"io"

	"github.com/envoydbg/envoydbg/adapter/helper/companion"
)

// accompany is join with a companion, which has the two goroutines.
func (s *session) accompany(stream io.ReadWriteCloser, in io.Reader, sock serverConn) {
	defer sock.Close()
	sent := companion.New(stream, sock).Run(in)
	_ = stream.Close() // the write side only: yamux streams close by halves
	select {
	case <-sent:
	case <-s.closing:
	}
}
