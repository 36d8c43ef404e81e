package platform

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Platform is a running lldb-server, in its own process group.
type Platform struct {
	port string
	cmd  *exec.Cmd
}

// Start runs the lldb-server in dir, with that environment, and returns when it
// listens: on a loopback port, because LLDB 19 needs help to use unix sockets.
func Start(server, dir string, env []string, within time.Duration) (*Platform, error) {
	server, err := filepath.EvalSymlinks(server)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "port")
	p := &Platform{cmd: exec.Command(server, "platform", "--server", "--listen", "127.0.0.1:0", "--socket-file", file)}
	p.cmd.Dir = dir
	p.cmd.Env = append(env, "LLDB_DEBUGSERVER_PATH="+server)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(within); p.port == ""; time.Sleep(time.Millisecond) {
		b, err := os.ReadFile(file)
		p.port = strings.Trim(string(b), "\x00\n ")
		if p.port == "" && time.Now().After(deadline) {
			p.End()
			return nil, fmt.Errorf("lldb-server has not written its port: %w", errors.Join(err, os.ErrDeadlineExceeded))
		}
	}
	return p, nil
}

// Connect returns the LLDB commands that connect to it.
func (p *Platform) Connect() []string {
	return []string{
		"settings clear plugin.symbol-locator.debuginfod.server-urls",
		"platform select remote-linux",
		"platform connect connect://127.0.0.1:" + p.port,
	}
}

// End kills the process group.
func (p *Platform) End() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	_ = p.cmd.Wait()
}
