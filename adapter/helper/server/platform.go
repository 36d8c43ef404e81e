//go:build linux

package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/internal/program"
)

const (
	// platformReady bounds the start of lldb-server: it maps hundreds of MB of
	// shared libraries, from a cold disk too.
	platformReady = 20 * time.Second
	readyFile     = "p.ready"
)

var versionNumber = regexp.MustCompile(`version (\d+(?:\.\d+)+)`)

// platformStart starts lldb-server's platform mode and returns when its socket
// listens. The platform itself tells when: it writes --socket-file after
// listen(2), which inotify reports.
func (s *session) platformStart(ctx context.Context, p helper.PlatformStartParams) (helper.PlatformStartResult, error) {
	var none helper.PlatformStartResult
	s.platformMu.Lock()
	defer s.platformMu.Unlock()
	if old := s.platformPID(); old != 0 {
		return none, fail(helper.CodeStartFailed, "the platform of this session is already running (pid %d)", old)
	}
	path, err := program.Look(p.LLDBServer, os.Getenv("PATH"), "")
	if err != nil {
		return none, fail(codeOf(err, helper.CodeStartFailed), "lldb-server: %v", err)
	}
	refusal := make(chan *helper.Refusal, 1)
	go func() { refusal <- s.mayTrace(ctx) }()
	version, err := s.lldbVersion(ctx, path)
	if r := <-refusal; err == nil && r != nil {
		err = refused(r)
	}
	if err != nil {
		return none, err
	}
	dir := s.private()
	socket := filepath.Join(dir, "p.sock")
	for _, f := range []string{socket, filepath.Join(dir, readyFile)} {
		if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			return none, fail(helper.CodeStartFailed, "%v", err)
		}
	}
	ready, stop, err := appears(dir, readyFile)
	if err != nil {
		return none, fail(helper.CodeStartFailed, "inotify on %s: %v", dir, err)
	}
	defer stop()

	ch, errs, err := s.startQuiet(command{
		Path: path,
		Args: []string{path, "platform", "--server", "--listen", "unix://" + socket,
			"--socket-file", filepath.Join(dir, readyFile)},
		Env: s.platformEnv(path),
		Dir: dir,
	})
	if err != nil {
		return none, err
	}
	s.mu.Lock()
	s.platform = ch
	s.mu.Unlock()
	timeout := time.NewTimer(platformReady)
	defer timeout.Stop()
	select {
	case <-ready:
	case <-ch.Done:
		text, _ := statusText(ch.Status)
		return none, fail(helper.CodeStartFailed, "%s platform ended at once (%s): %s", path, text, errs.text())
	case <-timeout.C:
		s.kill(ch)
		return none, fail(helper.CodeStartFailed, "%s platform did not listen on %s within %s: %s", path, socket, platformReady, errs.text())
	case <-ctx.Done():
		s.kill(ch)
		return none, fail(helper.CodeStartFailed, "%s platform: %v", path, context.Cause(ctx))
	}
	go func() {
		<-ch.Done
		text, code := statusText(ch.Status)
		s.notices.notify(helper.NotifyExit, helper.ExitParams{What: "platform", PID: ch.PID, Status: text, Code: code, Stderr: errs.text()})
	}()
	return helper.PlatformStartResult{PID: ch.PID, Socket: socket, Version: version}, nil
}

// platformEnv makes the gdbservers of the platform listen on unix sockets in
// the session's folder. LLDB 19 looks for its gdbserver beside a name that the
// symbolic links of packages do not lead to, so it is told the real path.
func (s *session) platformEnv(path string) []string {
	add := map[string]string{"LLDB_DEBUGSERVER_DOMAINSOCKET_DIR": s.private()}
	if _, ok := os.LookupEnv("LLDB_DEBUGSERVER_PATH"); !ok {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			add["LLDB_DEBUGSERVER_PATH"] = real
		}
	}
	return mergeEnv(os.Environ(), add)
}

// look finds a program, and asks it for its version.
func (s *session) look(ctx context.Context, p helper.LookParams) (helper.LookResult, error) {
	var found helper.LookResult
	path, err := program.Look(p.Program, os.Getenv("PATH"), "")
	if err != nil {
		return found, fail(codeOf(err, helper.CodeNotFound), "%v", err)
	}
	found.Path = path
	if p.Version {
		found.Version, err = s.versionText(ctx, path)
	}
	return found, err
}

func (s *session) lldbVersion(ctx context.Context, path string) (string, error) {
	text, err := s.versionText(ctx, path)
	if err != nil {
		return "", err
	}
	m := versionNumber.FindStringSubmatch(text)
	if m == nil {
		return "", fail(helper.CodeStartFailed, "%s does not answer like lldb-server: %s", path, text)
	}
	return m[1], nil
}

// versionText is what a program prints of its version.
func (s *session) versionText(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, platformReady)
	defer cancel()
	ch, out, err := s.startQuiet(command{Path: path, Args: []string{path, "version"}, Env: os.Environ()})
	if err != nil {
		return "", err
	}
	select {
	case <-ch.Done:
	case <-ctx.Done():
		s.kill(ch)
		return "", fail(helper.CodeStartFailed, "%s version did not end: %v", path, ctx.Err())
	}
	text := out.text()
	if status, code := statusText(ch.Status); code != 0 {
		return "", fail(helper.CodeStartFailed, "%s does not answer like lldb-server (%s): %s", path, status, text)
	}
	return text, nil
}

// startQuiet starts a program whose output only matters when it fails.
func (s *session) startQuiet(cmd command) (*child, *following, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, fail(helper.CodeStartFailed, "%v", err)
	}
	defer w.Close()
	cmd.Stdout, cmd.Stderr = w, w
	ch, err := s.children.start(cmd)
	if err != nil {
		r.Close()
		return nil, nil, fail(codeOf(err, helper.CodeStartFailed), "%s cannot be started: %v", cmd.Path, err)
	}
	return ch, follow(r), nil
}

// kill ends a child that did not do what it was started for.
func (s *session) kill(ch *child) {
	s.children.kill(ch)
	select {
	case <-ch.Done:
	case <-time.After(time.Second):
	}
}

// appears returns a channel that is closed when a file called name has been
// written or renamed to in dir. stop ends its goroutine.
func appears(dir, name string) (<-chan struct{}, func(), error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, nil, err
	}
	f := os.NewFile(uintptr(fd), "inotify")
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_MOVED_TO|unix.IN_CLOSE_WRITE); err != nil {
		f.Close()
		return nil, nil, err
	}
	found := make(chan struct{})
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := f.Read(buf)
			if err != nil {
				return
			}
			for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
				size := unix.SizeofInotifyEvent + int(nativeUint32(b[12:]))
				if strings.TrimRight(string(b[unix.SizeofInotifyEvent:size]), "\x00") == name {
					close(found)
					return
				}
				b = b[size:]
			}
		}
	}()
	return found, func() { f.Close() }, nil
}
