package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// answered ends an answer on the control socket, so that one which was cut off is
// not taken for a whole one.
const answered = "ok\n"

// control serves the socket fd until it fails. A request is one line, the answer
// some lines, the last of which is "ok" or begins with "error: ".
func (n *node) control(fd uintptr) error {
	listener, err := net.FileListener(os.NewFile(fd, "control"))
	if err != nil {
		return err
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		if err := n.serve(client); err != nil {
			fmt.Fprintf(client, "error: %v\n", err)
		} else {
			fmt.Fprint(client, answered)
		}
		client.Close()
	}
}

func (n *node) serve(client net.Conn) error {
	if err := client.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	line, err := bufio.NewReader(client).ReadString('\n')
	if err != nil {
		return err
	}
	words := strings.Fields(line)
	switch {
	case len(words) == 1 && words[0] == "status":
		for _, k := range n.keepers {
			fmt.Fprintln(client, k)
		}
		return nil
	case len(words) == 2:
		for _, k := range n.keepers {
			if k.name != words[1] {
				continue
			}
			switch words[0] {
			case "kill":
				return k.want(true, true)
			case "stop":
				return k.want(false, true)
			case "start":
				return k.want(true, false)
			}
		}
	}
	return fmt.Errorf("nothing is known of %q", strings.TrimSpace(line))
}

// ask sends one request to the running cluster and returns its answer.
func (s state) ask(request string) (string, error) {
	server, err := net.DialTimeout("unix", s.path("control.sock"), 5*time.Second)
	if err != nil {
		return "", err
	}
	defer server.Close()
	if err := server.SetDeadline(time.Now().Add(15 * time.Second)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(server, request); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(server)
	if err != nil {
		return "", err
	}
	text, whole := strings.CutSuffix(string(answer), answered)
	if !whole {
		return "", fmt.Errorf("the cluster answers %q", strings.TrimSpace(text))
	}
	return text, nil
}
