package machine

import (
	"context"
	"encoding/json"
	"io"
	"net"
)

// Port is the device in the machine through which commands come.
const Port = "/dev/vport0p1"

// Up is the byte that the machine sends when it takes commands.
const Up = '!'

// Command is what a stream begins with, as JSON and a newline. After it the stream is the
// command's stdin and stdout.
type Command struct {
	// Args begin with the path of the program.
	Args []string
	Env  []string
	// User is its user and group, by number.
	User uint32
}

// Run runs a command in the machine that listens at the socket. The stream is the
// command's stdin and stdout; Close ends both. What a command that cannot be started
// would have printed is then why.
func Run(ctx context.Context, socket string, c Command) (io.ReadWriteCloser, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(c)
	if err == nil {
		_, err = conn.Write(append(line, '\n'))
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}
