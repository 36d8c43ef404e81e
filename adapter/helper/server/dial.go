//go:build linux

package server

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// maxHeader bounds the first line of a stream, whose only field is a path.
const maxHeader = 4 << 10

// accept answers one stream of the adapter's and serves it for the purpose that
// its header names.
func (s *session) accept(stream io.ReadWriteCloser) {
	defer stream.Close()
	in := bufio.NewReaderSize(stream, maxHeader)
	line, err := in.ReadSlice('\n')
	var h helper.StreamHeader
	if err == nil {
		err = json.Unmarshal(line, &h)
	}
	var serve func()
	if err == nil {
		switch h.Kind {
		case helper.StreamDial:
			var sock serverConn
			sock, err = s.dial(h.Socket)
			serve = func() { s.join(stream, in, sock) }
			if h.Companion {
				serve = func() { s.accompany(stream, in, sock) }
			}
		case helper.StreamOutput:
			serve = func() { s.output.send(stream) }
		default:
			err = fmt.Errorf("unknown kind of stream %q", h.Kind)
		}
	}
	reply := helper.StreamReply{}
	if err != nil {
		reply.Error = err.Error()
	}
	b, _ := json.Marshal(reply)
	_, _ = stream.Write(append(b, '\n')) // if it fails, so does what follows
	if err == nil {
		serve()
	}
}

// serverConn is a connection to a debug server.
type serverConn interface {
	io.ReadWriteCloser
	CloseWrite() error
}

// join passes bytes between a stream of the adapter's and a debug server. Two
// goroutines, one for each direction; each passes on the end of its input, and
// both end with their stream or socket.
func (s *session) join(stream io.ReadWriteCloser, in io.Reader, sock serverConn) {
	defer sock.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(sock, in)
		_ = sock.CloseWrite()
	}()
	_, _ = io.Copy(stream, sock)
	_ = stream.Close() // the write side only: yamux streams close by halves
	select {
	case <-sent:
	case <-s.closing:
	}
}

// dial connects to a socket inside the session's folder, or to the debug server that was
// started by hand, and nowhere else.
func (s *session) dial(path string) (serverConn, error) {
	if address, ok := strings.CutPrefix(path, helper.ByHandScheme); ok {
		if h := s.hand.Load(); h != nil {
			return h.dial(address)
		}
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(real, dir+"/") {
		return nil, fmt.Errorf("%s is not in the session's folder %s", path, s.dir)
	}
	return net.DialUnix("unix", nil, &net.UnixAddr{Name: real, Net: "unix"})
}
