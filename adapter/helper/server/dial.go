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

// connect joins one stream of the adapter with the debug server it names. Two
// goroutines, one for each direction; each passes on the end of its input, and
// both end with their stream or socket.
func (s *session) connect(stream io.ReadWriteCloser) {
	defer stream.Close()
	in := bufio.NewReaderSize(stream, maxHeader)
	line, err := in.ReadSlice('\n')
	var h helper.DialHeader
	if err == nil {
		err = json.Unmarshal(line, &h)
	}
	var sock *net.UnixConn
	if err == nil {
		sock, err = s.dial(h.Socket)
	}
	reply := helper.DialReply{}
	if err != nil {
		reply.Error = err.Error()
	}
	b, _ := json.Marshal(reply)
	if _, werr := stream.Write(append(b, '\n')); werr != nil || err != nil {
		if sock != nil {
			sock.Close()
		}
		return
	}
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

// dial connects to a socket inside the session's folder and nowhere else.
func (s *session) dial(path string) (*net.UnixConn, error) {
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
