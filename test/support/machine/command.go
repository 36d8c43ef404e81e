package machine

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// Port is the device in the machine through which commands come.
const Port = "/dev/vport0p1"

// Up is the byte that the machine sends when it takes commands.
const Up = '!'

// What is in the machine.
const (
	Envoy  = "/opt/envoy"       // the sample, stripped
	Agent  = "/opt/pilot-agent" // the real one
	Helper = "/opt/helper"      // Prepare puts it there
	// Home is the agent's working folder, laid out as by test/setup/agent.sh.
	Home = "/home/agent"
	// User is who runs a sidecar under Istio, and owns Home.
	User = 1337
)

// Env is the environment of a container.
var Env = []string{"PATH=/bin:/opt"}

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

// Shell runs a script as root, with nothing on its stdin, and returns what it has printed.
func (m *Machine) Shell(ctx context.Context, script string) (string, error) {
	return m.feed(ctx, script, strings.NewReader(""))
}

func (m *Machine) feed(ctx context.Context, script string, stdin io.Reader) (string, error) {
	s, err := Run(ctx, m.Socket, Command{Args: []string{"/bin/sh", "-c", script}, Env: Env})
	if err != nil {
		return "", err
	}
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	defer s.Close()
	if _, err := io.Copy(s, stdin); err != nil {
		return "", err
	}
	if err := s.(*net.UnixConn).CloseWrite(); err != nil {
		return "", err
	}
	out, err := io.ReadAll(s)
	return string(out), err
}

// Prepare puts the program at path there as the helper, and gives the agent its folder.
func (m *Machine) Prepare(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	const done = "done"
	out, err := m.feed(ctx, fmt.Sprintf("cat >%[1]s && chmod 755 %[1]s && chown -R %[3]d:%[3]d %[2]s && echo %[4]s", Helper, Home, User, done), f)
	if err == nil && strings.TrimSpace(out) != done {
		err = fmt.Errorf("the helper was not stored: %s", out)
	}
	return err
}

// Processes are the command lines of what runs there besides the kernel's threads, the
// guest and this question.
func (m *Machine) Processes(ctx context.Context) ([]string, error) {
	out, err := m.Shell(ctx, `for p in /proc/[0-9]*; do
		[ ${p#/proc/} -ne $$ ] && [ ${p#/proc/} -ne 1 ] && line=$(tr '\0' ' ' <$p/cmdline) && [ -n "$line" ] && echo "${p#/proc/} $line"
	done 2>/dev/null`)
	var all []string
	for line := range strings.Lines(out) {
		all = append(all, strings.TrimSpace(line))
	}
	return all, err
}
