package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/test/support/checkout"
	"golang.org/x/sys/unix"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	s, err := openState()
	if err != nil {
		return err
	}
	if os.Getenv(stageVariable) == stageInit {
		return runInit()
	}
	root, err := checkout.Root()
	if err != nil {
		return err
	}
	switch {
	case os.Getenv(stageVariable) == stageNode:
		return runNode(s, filepath.Join(root, "bin/tools/kube"), filepath.Join(root, "bin/tools/coredns"), arguments[0])
	case slices.Equal(arguments, []string{"up"}), slices.Equal(arguments, []string{"up", "--arm64"}):
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		return up(ctx, s, root, len(arguments) == 2)
	case len(arguments) == 1 && arguments[0] == "down":
		return down(s)
	case len(arguments) == 1 && arguments[0] == "status",
		len(arguments) == 2 && (arguments[0] == "kill" || arguments[0] == "stop" || arguments[0] == "start"):
		answer, err := s.ask(strings.Join(arguments, " "))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
			return errors.New("the cluster is not up")
		}
		fmt.Print(answer)
		return err
	}
	return errors.New("usage: cluster up [--arm64] | down | status | kill PART | stop PART | start PART")
}

// say writes one line of the report, aligned with those of the set-up.
func say(label, note string) { fmt.Printf("  %-34s %s\n", label, note) }

// up starts the cluster, or finds it running.
func up(ctx context.Context, s state, root string, arm64 bool) error {
	if os.Geteuid() != 0 {
		return errors.New("the kubelet and containerd need root: start this with sudo")
	}
	began := time.Now()
	lock, err := s.take()
	if errors.Is(err, errRuns) {
		parts, err := s.ask("status")
		if err != nil {
			return fmt.Errorf("the cluster is up, but does not answer (%w): end it with `cluster down`", err)
		}
		if arm64 && !strings.Contains(parts, "\n"+arm64Name) {
			return errors.New("the cluster is up without an arm64 node: end it with `cluster down` first")
		}
		say("cluster", "is up")
		fmt.Printf("export KUBECONFIG=%s\n", s.path("kubeconfig"))
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	image := ""
	if arm64 {
		if image, err = filepath.EvalSymlinks(filepath.Join(root, "bin/tools/arm64-node")); err != nil {
			return fmt.Errorf("the arm64 node's disk is missing (%w): run `make setup-arm64-node`", err)
		}
	}
	err = begin(ctx, s, lock, filepath.Join(root, "bin/tools/cluster-images"), image)
	if err == nil {
		err = s.populate(ctx, root)
	}
	if err == nil && arm64 {
		err = s.joined(ctx, root)
	}
	if err != nil {
		return errors.Join(err, kill(s), remove(s))
	}
	say("cluster", fmt.Sprintf("up after %.1f s", time.Since(began).Seconds()))
	fmt.Printf("export KUBECONFIG=%s\n", s.path("kubeconfig"))
	return nil
}

// begin starts PID 1 of the cluster and returns when the API server and the
// kubelet serve.
func begin(ctx context.Context, s state, lock *os.File, images, arm64 string) error {
	if err := s.clear(); err != nil {
		return err
	}
	for _, folder := range []string{s.node(), s.path("logs")} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
	}
	copying := time.Now()
	if err := copyStore(images, s.node("containerd")); err != nil {
		return err
	}
	if err := makeGroups(s.group()); err != nil {
		return err
	}
	say("image store", fmt.Sprintf("%.1f s", time.Since(copying).Seconds()))
	files, err := openGateway(s)
	if err != nil {
		return err
	}
	progress, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	defer progress.Close()
	log, err := os.Create(s.path("logs/cluster.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	passed := append([]*os.File{lock}, append(files, writer)...)
	cmd := &exec.Cmd{
		Path:       executable,
		Args:       []string{"cluster", arm64}, // for the stages
		Env:        append(os.Environ(), stageVariable+"="+stageInit),
		Stdout:     log,
		Stderr:     log,
		ExtraFiles: passed,
		SysProcAttr: &syscall.SysProcAttr{
			Setsid: true,
			Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET |
				syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		},
	}
	err = cmd.Start()
	for _, file := range passed[1:] {
		file.Close()
	}
	if err != nil {
		return fmt.Errorf("new namespaces: %w", err)
	}
	if err := s.setPID(cmd.Process.Pid); err != nil {
		return errors.Join(err, cmd.Process.Kill())
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	return follow(ctx, progress, s)
}

var errInterrupted = errors.New("interrupted")

// follow shows the progress until the cluster is ready.
func follow(ctx context.Context, progress *os.File, s state) error {
	lines := bufio.NewScanner(progress)
	for lines.Scan() {
		if lines.Text() == "ready" {
			return nil
		}
		if reason, failed := strings.CutPrefix(lines.Text(), "failed: "); failed {
			for lines.Scan() {
				reason += "\n" + lines.Text()
			}
			return errors.New(reason)
		}
		fmt.Println("  " + lines.Text())
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	return fmt.Errorf("it ended while it started; %s ends with:\n%s", s.path("logs/cluster.log"), tail(s.path("logs/cluster.log")))
}

// openGateway makes the sockets through which the cluster is reached. They belong
// to the network of this process, whoever accepts on them.
func openGateway(s state) (files []*os.File, err error) {
	address, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer address.Close()
	file, err := address.(*net.TCPListener).File()
	if err != nil {
		return nil, err
	}
	files = append(files, file)
	for _, name := range []string{"api.sock", "control.sock"} {
		listener, err := net.Listen("unix", s.path(name))
		if err != nil {
			return nil, err
		}
		listener.(*net.UnixListener).SetUnlinkOnClose(false)
		defer listener.Close()
		if file, err = listener.(*net.UnixListener).File(); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// copyStore copies containerd's store. Its layers never change, so they are hard
// links where that is possible; its databases do.
func copyStore(from, to string) error {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return fmt.Errorf("the images are missing (%w): run `make setup-cluster`", err)
	}
	how := "-al"
	if apart, err := onTwoFileSystems(from, filepath.Dir(to)); err != nil {
		return err
	} else if apart {
		how = "-a"
	}
	if out, err := exec.Command("cp", how, from, to).CombinedOutput(); err != nil {
		return fmt.Errorf("copy of the image store: %w: %s", err, out)
	}
	return filepath.WalkDir(to, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && e.Name() == "snapshots" {
			return fs.SkipDir
		}
		if filepath.Ext(path) != ".db" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		return os.WriteFile(path, text, 0o600)
	})
}

func onTwoFileSystems(a, b string) (bool, error) {
	var stat [2]unix.Stat_t
	for i, path := range []string{a, b} {
		if err := unix.Stat(path, &stat[i]); err != nil {
			return false, fmt.Errorf("%s: %w", path, err)
		}
	}
	return stat[0].Dev != stat[1].Dev, nil
}

// down ends the cluster, and removes what it or an earlier one has left.
func down(s state) error {
	began := time.Now()
	if err := kill(s); err != nil {
		return err
	}
	lock, err := s.take()
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := remove(s); err != nil {
		return err
	}
	say("cluster", fmt.Sprintf("down after %.1f s", time.Since(began).Seconds()))
	return nil
}

// limit bounds each wait for what the kernel does at the end.
const limit = 20 * time.Second

// kill ends PID 1 of the cluster, and the kernel with it all of its processes. It is
// not asked first, because nothing in it is worth keeping.
func kill(s state) error {
	pid1, err := s.pid1()
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	if err != nil {
		return err
	}
	defer pid1.Close()
	if err := pid1.Signal(unix.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if !(process.Handles{pid1}).Wait(time.Now().Add(limit)) {
		return fmt.Errorf("process %d, the cluster's first, has not ended %v after SIGKILL", pid1.PID, limit)
	}
	return nil
}

// remove removes what outlives the processes. The caller holds the lock.
func remove(s state) error { return errors.Join(removeGroups(s.group(), limit), s.clear()) }
