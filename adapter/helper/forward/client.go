package forward

import (
	"bufio"
	"context"
	"io"
	"net"

	"github.com/hashicorp/yamux"
)

// Client is the side that wants connections.
type Client struct{ mux *yamux.Session }

// New takes a stream at whose other end is [Serve].
func New(stream io.ReadWriteCloser) (*Client, error) {
	mux, err := yamux.Client(stream, config())
	if err != nil {
		return nil, err
	}
	return &Client{mux}, nil
}

// Close ends all connections.
func (c *Client) Close() error { return c.mux.Close() }

// Done is closed when the stream has ended, and with it all connections.
func (c *Client) Done() <-chan struct{} { return c.mux.CloseChan() }

// Conn is a connection that was made in the container.
type Conn struct {
	net.Conn
	in            *bufio.Reader
	local, remote string
}

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) { return c.in.Read(p) }

// Local is the address of the socket in the container, and Remote that which it is
// connected to, as it knows.
func (c *Conn) Local() string { return c.local }

// Remote is described there.
func (c *Conn) Remote() string { return c.remote }

// Dial connects to a TCP address, HOST:PORT, from the container. Names are resolved there.
// The error is a *[DialError] when it has failed there.
func (c *Client) Dial(ctx context.Context, address string) (*Conn, error) {
	conn, in, a, err := c.ask(ctx, Ask{Kind: askDial, Address: address})
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: conn, in: in, local: a.Local, remote: a.Remote}, nil
}

// Peer says what there is at the other end of a connection.
func (c *Client) Peer(ctx context.Context, of *Conn) (Peer, error) {
	a, err := c.question(ctx, Ask{Kind: askPeer, Local: of.local})
	return a.Peer, err
}

// Look looks around in the container: whether somebody listens on a port, and which
// Envoys run, and which of them has the socket with an inode; 0 for none.
func (c *Client) Look(ctx context.Context, port int, inode uint64) (Look, error) {
	a, err := c.question(ctx, Ask{Kind: askLook, Port: port, Inode: inode})
	return a.Look, err
}

func (c *Client) question(ctx context.Context, q Ask) (Answer, error) {
	conn, _, a, err := c.ask(ctx, q)
	if err != nil {
		return a, err
	}
	return a, conn.Close()
}

// ask opens a stream and reads the answer, of which in may have read more.
func (c *Client) ask(ctx context.Context, q Ask) (conn net.Conn, in *bufio.Reader, a Answer, err error) {
	stream, err := c.mux.OpenStream()
	if err != nil {
		return nil, nil, a, err
	}
	in = bufio.NewReaderSize(stream, maxLine)
	stop := context.AfterFunc(ctx, func() { _ = stream.SetDeadline(past) })
	if err = writeLine(stream, q); err == nil {
		err = readLine(in, &a)
	}
	if !stop() && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil && a.Failure != nil {
		err = a.Failure
	}
	if err != nil {
		_ = stream.Close()
		return nil, nil, a, err
	}
	return stream, in, a, nil
}
