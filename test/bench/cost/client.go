package cost

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// answerTime bounds the wait for one message.
const answerTime = 30 * time.Second

// peer is one adapter and the simplest client on its stdin and stdout.
type peer struct {
	cmd    *exec.Cmd
	in     *os.File // to the adapter
	out    *os.File
	reader *dapio.Reader
	seq    int
	events []*dapio.Message
}

// dial starts an adapter.
func dial(dir string, command ...string) (*peer, error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &peer{cmd: exec.Command(command[0], command[1:]...), in: in, out: out, reader: dapio.NewReader(out)}
	p.cmd.Dir, p.cmd.Stdin, p.cmd.Stdout = dir, theirIn, theirOut
	p.reader.Noise = func([]byte) {}
	err = p.cmd.Start()
	_, _ = theirIn.Close(), theirOut.Close()
	return p, err
}

// close disconnects as an editor does, and waits for the adapter's end. Its exit
// status is ignored, because lldb-dap 19 may abort when it ends.
func (p *peer) close() error {
	err := p.call("disconnect", map[string]any{"terminateDebuggee": true}, nil)
	_ = p.in.Close()
	timer := time.AfterFunc(answerTime, func() { _ = p.cmd.Process.Signal(syscall.SIGKILL) })
	_ = p.cmd.Wait()
	if !timer.Stop() {
		err = errors.Join(err, fmt.Errorf("%s did not end", p.cmd.Path))
	}
	_ = p.out.Close()
	return err
}

// send writes a request and returns its number.
func (p *peer) send(command string, arguments any) (int64, error) {
	p.seq++
	content, err := json.Marshal(map[string]any{"seq": p.seq, "type": dapio.Request, "command": command, "arguments": arguments})
	if err != nil {
		return 0, err
	}
	_, err = fmt.Fprintf(p.in, "Content-Length: %d\r\n\r\n%s", len(content), content)
	return int64(p.seq), err
}

// next reads one message; events are kept until they are asked for.
func (p *peer) next() (*dapio.Message, error) {
	_ = p.out.SetReadDeadline(time.Now().Add(answerTime))
	m, err := p.reader.Next()
	if err == nil && m.Type == dapio.Event {
		p.events = append(p.events, m)
	}
	if err == nil && m.Type == dapio.Response && !m.Success {
		err = fmt.Errorf("%s was refused: %s", m.Name, m.Raw)
	}
	return m, err
}

// answer reads up to the answer to a request.
func (p *peer) answer(seq int64, body any) error {
	for {
		m, err := p.next()
		switch {
		case err != nil:
			return err
		case m.Type != dapio.Response || m.RequestSeq != seq:
			continue
		case body == nil:
			return nil
		}
		return json.Unmarshal([]byte(m.Get("body").Raw), body)
	}
}

func (p *peer) call(command string, arguments, body any) error {
	seq, err := p.send(command, arguments)
	if err == nil {
		err = p.answer(seq, body)
	}
	if err != nil {
		return fmt.Errorf("%s to %s: %w", command, p.cmd.Path, err)
	}
	return nil
}

// event returns the first event of that name that has not been returned yet, and
// drops those before it.
func (p *peer) event(name string) (*dapio.Message, error) {
	for {
		for i, e := range p.events {
			if e.Name == name {
				p.events = p.events[i+1:]
				return e, nil
			}
		}
		said := p.events
		p.events = nil
		if _, err := p.next(); err != nil {
			var b strings.Builder
			for _, e := range said {
				fmt.Fprintf(&b, "\n%s", e.Raw)
			}
			return nil, fmt.Errorf("no event %s from %s: %w%s", name, p.cmd.Path, err, b.String())
		}
	}
}

// timed is how long a call took.
func (p *peer) timed(command string, arguments any) (time.Duration, error) {
	began := time.Now()
	err := p.call(command, arguments, nil)
	return time.Since(began), err
}
