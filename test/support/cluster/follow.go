package cluster

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Output is what a kubectl that goes on running has printed, on both streams.
type Output struct {
	c    *Cluster
	what string
	more chan struct{} // has an entry when there is something new
	next int           // the first line that Until has not looked at

	mu    sync.Mutex
	lines []string
	ended bool
}

// Follow starts a kubectl that goes on running, such as an exec. It is ended with
// the test.
func (c *Cluster) Follow(arguments ...string) *Output {
	c.tb.Helper()
	c.note(arguments)
	cmd := exec.Command(filepath.Join(shared.root, "bin/tools/kubectl"), arguments...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+shared.kubeconfig)
	read, write, err := os.Pipe()
	if err != nil {
		c.tb.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	err = cmd.Start()
	write.Close()
	if err != nil {
		read.Close()
		c.tb.Fatal(err)
	}
	o := &Output{c: c, what: "kubectl " + strings.Join(arguments, " "), more: make(chan struct{}, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer read.Close()
		for lines := bufio.NewScanner(read); lines.Scan(); {
			o.add(lines.Text(), false)
		}
		o.add("(ended)", true)
	}()
	c.tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		<-ended
	})
	return o
}

func (o *Output) add(line string, last bool) {
	o.mu.Lock()
	o.lines = append(o.lines, line)
	o.ended = last
	o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
}

// Until returns the first new line that contains text. It ends the test when none
// comes within Limit, or the command has ended.
func (o *Output) Until(text string) string {
	o.c.tb.Helper()
	late := time.After(Limit)
	for {
		line, found, ended := o.find(text)
		if found {
			return line
		}
		if ended {
			o.c.tb.Fatalf("%s has ended and not printed %q, but:\n%s", o.what, text, o)
		}
		select {
		case <-o.more:
		case <-late:
			o.c.tb.Fatalf("%s has not printed %q within %v, but:\n%s", o.what, text, Limit, o)
		}
	}
}

func (o *Output) find(text string) (line string, found, ended bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.next < len(o.lines) {
		line = o.lines[o.next]
		o.next++
		if strings.Contains(line, text) {
			return line, true, o.ended
		}
	}
	return "", false, o.ended
}

// String is all that was printed so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}
