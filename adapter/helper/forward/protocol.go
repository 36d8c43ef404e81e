package forward

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/yamux"

	"github.com/envoydbg/envoydbg/adapter/helper"
)

// The kinds of asks.
const (
	askDial = "dial"
	askPeer = "peer"
	askLook = "look"
)

// Ask is the first line of a stream.
type Ask struct {
	Kind string `json:"kind"`
	// Address is where to dial, as HOST:PORT.
	Address string `json:"address,omitempty"`
	// Local is the address of the connection whose other end is looked for.
	Local string `json:"local,omitempty"`
	// Port is one that somebody may listen on, and Inode that of a socket somebody may
	// have.
	Port  int    `json:"port,omitempty"`
	Inode uint64 `json:"inode,omitempty"`
}

// Answer is the first line of what comes back.
type Answer struct {
	Failure *DialError `json:"failure,omitempty"`
	// Local and Remote are the addresses of the new connection, as its socket has them.
	Local  string `json:"local,omitempty"`
	Remote string `json:"remote,omitempty"`
	Peer   Peer   `json:"peer,omitzero"`
	Look   Look   `json:"look,omitzero"`
}

// Failures of a dial.
const (
	Refused = "refused" // nothing listens there
	NoName  = "name"    // the host's name leads to no address
	Other   = "other"
)

// DialError says why there is no connection.
type DialError struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Error implements error.
func (e *DialError) Error() string { return e.Text }

// Peer is the other end of a connection, as the kernel has it.
type Peer struct {
	// Local is its own address; empty where no process in the pod has the other end.
	Local string `json:"local,omitempty"`
	// Accepted: a process has taken it, namely one of user UID with the socket Inode.
	Accepted bool   `json:"accepted,omitempty"`
	UID      int    `json:"uid,omitempty"`
	Inode    uint64 `json:"inode,omitempty"`
	// Unread is how many bytes wait for that process.
	Unread int `json:"unread,omitempty"`
	// Closed: that process has closed its socket, of which nothing more is known.
	Closed bool `json:"closed,omitempty"`
	// Listener is the inode of a socket that listens on the port of Local, 0 for none.
	Listener uint64 `json:"listener,omitempty"`
}

// Look is what there is in a container and its pod.
type Look struct {
	// UID and GID are those that connections are made as.
	UID int `json:"uid"`
	GID int `json:"gid"`
	// Listening: somebody in the pod listens on the port that was asked for.
	Listening bool `json:"listening,omitempty"`
	// Agents is the number of pilot-agents that run an Envoy, and Envoys are those whose
	// processes can be seen from the container.
	Agents int     `json:"agents,omitempty"`
	Envoys []Envoy `json:"envoys,omitempty"`
}

// Envoy is one process.
type Envoy struct {
	PID     int    `json:"pid"`
	Program string `json:"program"`
	// Stopped: none of its threads runs, or will without somebody else.
	Stopped bool `json:"stopped,omitempty"`
	// Tracer is the process that debugs it, 0 for none.
	Tracer int `json:"tracer,omitempty"`
	// Has says that it has the socket that was asked for.
	Has bool `json:"has,omitempty"`
}

// maxLine bounds an ask and an answer, in bytes.
const maxLine = 64 << 10

func writeLine(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	return err
}

func readLine(in *bufio.Reader, v any) error {
	line, err := in.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return fmt.Errorf("a line of more than %d bytes", maxLine)
	case err == io.EOF && len(line) == 0:
		return io.ErrUnexpectedEOF
	case err != nil:
		return err
	}
	return json.Unmarshal(line, v)
}

// config is that of both sides. In contrast to a debug session, nothing of this stays when
// the other side has gone, so a stream that nobody answers on is given up.
func config() *yamux.Config {
	c := helper.MuxConfig()
	c.EnableKeepAlive, c.KeepAliveInterval = true, 15*time.Second
	c.ConnectionWriteTimeout = 30 * time.Second
	return c
}
