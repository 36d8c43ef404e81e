package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter"
	"github.com/envoydbg/envoydbg/internal/prompt"
)

// sessionFlags are the flags of every command that runs a session.
type sessionFlags struct {
	lldbDap  string
	log      string
	workTree string
}

func (f *sessionFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.lldbDap, "lldb-dap", "", "lldb-dap `program` (default: lldb-dap or the newest lldb-dap-N in PATH)")
	cmd.Flags().StringVar(&f.log, "log", "", "write the trace of all traffic to `file`")
	cmd.Flags().StringVar(&f.workTree, "work-tree", "", "local source `folder`, for a program that tells none, when the launch attribute does not either")
}

// options returns the session's options, and a function that takes back what
// they hold.
func (f *sessionFlags) options() (adapter.Options, func(), error) {
	opts := adapter.Options{LLDBDap: f.lldbDap, Local: adapter.Local{}, Sources: loadSources(f.workTree)}
	dir, release, err := adapter.MakeTempDir()
	if err != nil {
		return opts, nil, err
	}
	opts.TempDir = dir
	if f.log != "" {
		file, err := os.OpenFile(f.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			release()
			return opts, nil, err
		}
		opts.Log = file
		return opts, func() { release(); _ = file.Close() }, nil
	}
	return opts, release, nil
}

func dapCommand() *cobra.Command {
	var flags sessionFlags
	var listen string
	cmd := &cobra.Command{
		Use:   "dap",
		Short: "Serve the Debug Adapter Protocol on stdin and stdout, for an editor",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if listen != "" {
				return serve(cmd.Context(), listen, &flags, cmd.ErrOrStderr())
			}
			return serveStdio(&flags)
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&listen, "listen", "", "serve on unix:`path` or a loopback host:port instead; each connection is a session of its own")
	return cmd
}

// serveStdio runs one session. A signal ends it as a client that goes away does.
func serveStdio(flags *sessionFlags) error {
	opts, release, err := flags.options()
	if err != nil {
		return err
	}
	defer release()
	session := adapter.NewSession(prompt.Stdin(), prompt.Stdout(), opts)
	done := make(chan error, 1)
	go func() { done <- session.Run() }()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	select {
	case err := <-done:
		return err
	case <-signals:
		// Run still waits for the client, whose stream need not end.
		session.Shutdown()
		return nil
	}
}

// serve accepts connections and gives each to an envoydbg of its own: sessions
// then share nothing, and one's end cannot harm another.
func serve(ctx context.Context, address string, flags *sessionFlags, log io.Writer) error {
	l, err := listenAt(address)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, func() { _ = l.Close() })
	fmt.Fprintf(log, "listening on %s\n", l.Addr())
	var sessions sync.WaitGroup
	defer sessions.Wait()
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		file, err := c.(interface{ File() (*os.File, error) }).File()
		_ = c.Close()
		if err != nil {
			return err
		}
		cmd := exec.Command(exe, "dap", "--lldb-dap", flags.lldbDap, "--log", flags.log, "--work-tree", flags.workTree)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = file, file, os.Stderr
		err = cmd.Start()
		_ = file.Close()
		if err != nil {
			return err
		}
		sessions.Go(func() {
			ended := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
			defer ended()
			_ = cmd.Wait()
		})
	}
}

// listenAt opens a unix socket that only this user can reach, or a loopback
// port; nothing that others can connect to.
func listenAt(address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		st, err := os.Stat(filepath.Dir(path))
		if err != nil {
			return nil, fmt.Errorf("--listen %s: %w", address, err)
		}
		if st.Mode().Perm()&0o077 != 0 {
			return nil, fmt.Errorf("--listen %s: others can reach the folder %s; its mode must be 0700, as \"mktemp -d\" makes it", address, filepath.Dir(path))
		}
		return net.Listen("unix", path)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--listen %s: give unix:PATH or a loopback host:port", address)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("--listen %s: only loopback addresses (127.0.0.1, [::1]) are served, because whoever connects can run programs", address)
	}
	return net.Listen("tcp", address)
}
