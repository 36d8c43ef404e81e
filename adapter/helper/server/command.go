//go:build linux

package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/bundle"
	"github.com/envoydbg/envoydbg/internal/process"
)

// The words of the command line. The first ones are for adapters; those after them
// are how the helper starts itself.
const (
	wordVersion   = "version"
	wordStdio     = "stdio"
	wordServe     = "serve"
	wordConnect   = "connect"
	wordEnd       = "end"
	wordStatus    = "status"
	wordGoOn      = "continue"
	wordLogs      = "logs"
	wordUnpack    = "unpack"
	wordBundle    = "bundle"
	wordHas       = "has"
	wordForward   = "forward"
	wordClean     = "clean"
	wordVersionOf = "version-of"

	wordDaemon  = "daemon"  // a session's supervisor, started by serve
	wordSession = "session" // a session's process, started by its supervisor
	wordTrace   = "trace"   // see ptrace.go, and the next
	wordRest    = "rest"
)

// versionBound bounds a program that is asked for its version.
const versionBound = 10 * time.Second

const usage = `usage:
  %[1]s stdio
  %[1]s serve --dir DIR --session ID [--who TEXT] [--lease DURATION] [--protocol N]
  %[1]s connect --dir DIR --session ID --protocol N
  %[1]s end --dir DIR --session ID
  %[1]s status --dir DIR
  %[1]s continue --dir DIR --session ID
  %[1]s logs --dir DIR [--follow]
  %[1]s unpack DIR
  %[1]s bundle PROGRAM DIR FINAL
  %[1]s has PROGRAM
  %[1]s forward [--uid N] [--gid N]
  %[1]s version-of PROGRAM
  %[1]s clean SESSIONS DIR...
  %[1]s version`

// Main is the helper's command line, for which it returns the exit code.
func Main(args []string, version string) (int, error) {
	if len(args) < 2 {
		return 2, fmt.Errorf(usage, args[0])
	}
	word, rest := args[1], args[2:]
	if os.Getpid() == 1 {
		return initMain(args, word == wordServe)
	}
	switch {
	case word == wordVersion && len(rest) == 0:
		fmt.Println(version)
		return 0, nil
	case word == wordStdio && len(rest) == 0:
		return stdioMain(args[0])
	case word == wordServe:
		return serveMain(args[0], rest, version)
	case word == wordConnect:
		return connectMain(rest, version)
	case word == wordEnd:
		return endMain(rest)
	case word == wordStatus:
		return statusMain(rest)
	case word == wordGoOn:
		return continueMain(rest)
	case word == wordLogs:
		return logsMain(rest)
	case word == wordForward:
		return forwardMain(rest, version)
	case word == wordUnpack && len(rest) == 1:
		if err := bundle.Unpack(os.Stdin, rest[0], "/proc/self/exe"); err != nil {
			return 1, err
		}
		return done()
	case word == wordBundle && len(rest) == 3:
		files, err := bundle.Files(context.Background(), rest[0])
		if err == nil {
			err = bundle.Copy(files, rest[1], rest[2], "/proc/self/exe")
		}
		if err != nil {
			return 1, err
		}
		return done()
	case word == wordHas && len(rest) == 1:
		if err := unix.Access(rest[0], unix.X_OK); err != nil {
			return 1, fmt.Errorf("%s: %w", rest[0], err)
		}
		return done()
	case word == wordVersionOf && len(rest) == 1:
		ctx, cancel := context.WithTimeout(context.Background(), versionBound)
		defer cancel()
		out, err := exec.CommandContext(ctx, rest[0], "version").CombinedOutput() // LLDB's goes to stderr
		if err != nil {
			return 1, fmt.Errorf("%w: %s", err, out)
		}
		fmt.Printf("%s\n", out)
		return done()
	case word == wordClean && len(rest) > 1:
		if err := clean(os.Stdout, rest[0], rest[1:]); err != nil {
			return 1, err
		}
		return done()
	case word == wordDaemon:
		return daemonMain(args[0], rest)
	case word == wordSession && len(rest) == 1:
		return codeOfError(stdioSession(version, rest[0]))
	case word == wordSession:
		return codeOfError(daemonSession(rest, version))
	case word == wordTrace && len(rest) == 0:
		return traceChild(args[0])
	case word == wordRest && len(rest) == 0:
		restUntilKilled()
		return 0, nil
	}
	return 2, fmt.Errorf(usage, args[0])
}

// done says that a command has come to its end: its exit code can be lost on the way.
func done() (int, error) {
	_, err := fmt.Println(helper.EndMark)
	return codeOfError(err)
}

func codeOfError(err error) (int, error) {
	if err != nil {
		return 1, err
	}
	return 0, nil
}

// initMain is the helper as PID 1 of a container. The orphans of every exec into the
// container become children of PID 1, so it must not take its children for its own:
// a process of its own does the work, and as a subreaper has no descendants but those
// that it has started. With all, it stays until the last of its children has ended.
func initMain(args []string, all bool) (int, error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	pid, err := syscall.ForkExec("/proc/self/exe", args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		return 1, fmt.Errorf("the helper cannot be started: %w", err)
	}
	_ = os.Stdin.Close() // only who reads them may hold them open
	_ = os.Stdout.Close()
	started := make(chan struct{})
	go func() {
		for sig := range signals {
			select {
			case <-started: // with this process the kernel ends all others in the container
				os.Exit(128 + int(sig.(syscall.Signal)))
			default:
				_ = syscall.Kill(pid, sig.(syscall.Signal))
			}
		}
	}()
	var reaper process.Reaper
	code := 0
	for {
		got, status, err := reaper.Next()
		if errors.Is(err, syscall.ECHILD) {
			return code, nil
		}
		if err != nil {
			return 1, err
		}
		if got != pid {
			continue
		}
		if _, code = statusText(status); code < 0 {
			code = 128 + int(status.Signal())
		}
		if !all {
			return code, nil
		}
		close(started)
	}
}
