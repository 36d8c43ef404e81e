package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter"
	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb/warm"
	"github.com/envoydbg/envoydbg/adapter/trace"
	"github.com/envoydbg/envoydbg/internal/version"
)

func serveCommand(target targets) *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve an editor's window: its debug sessions, and what it asks beside them",
		Long: `Serve is what the VS Code extension starts, once for each window. It speaks JSON-RPC 2.0
on stdin and stdout; adapter/control has the requests. Debug sessions are opened by one of
them, and speak the Debug Adapter Protocol on a unix socket that only this user can reach.

It ends, and with it all its sessions, when stdin ends or by a signal; a second signal ends
the process at once.`,
		Args:                  noWords,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			signals, _ := notify(nil, nil)
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			go func() { <-signals; cancel() }()
			return serveWindow(ctx, stdio{stdin(), os.Stdout}, target)
		},
	}
}

// serveWindow serves the window at the other end of a stream until that or ctx ends, then
// ends its sessions, and waits until its requests have undone what they had begun.
func serveWindow(ctx context.Context, stream io.ReadWriteCloser, target targets) error {
	dir, remove, err := adapter.MakeTempDir()
	if err != nil {
		return err
	}
	defer remove()
	told := ctx // to end
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	lines := newTraceLines()
	standby := trace.New(between{lines}, time.Now())
	standby.Also(nil) // nobody wants its first lines later
	b := &backend{target: target, sessions: newSessions(dir), trace: lines, warm: warm.New(warm.Options{Dir: dir, Trace: standby})}
	lending, err := b.warm.Lend()
	if err != nil {
		return fault.From(err)
	}
	undone := control.NewServer(b, control.Welcome{Version: version.String()}).Serve(ctx, stream, func(l control.Listener) {
		b.listener = l
		go b.trace.send(ctx, l)
		go tellStandBy(ctx, b.warm, l)
	})
	lent := lending.Close()
	late := time.After(endTime)
	cold := make(chan struct{})
	go func() { b.warm.Close(); close(cold) }()
	for _, ended := range []<-chan struct{}{b.sessions.end(), undone, cold} {
		select {
		case <-ended:
		case <-late:
			return fault.EndTooLong(endTime)
		}
	}
	cancel()
	// What a session in a terminal has borrowed is that session's, which may outlive the
	// window; and it would end with this process.
	select {
	case <-lent:
	case <-told.Done():
		lending.Recall()
		<-lent
	}
	return nil
}

// stdio is standard input and output as one stream.
type stdio struct {
	io.Reader
	io.Writer
}

// Close implements io.Closer: the process ends soon.
func (stdio) Close() error { return nil }

// backend implements control.Backend.
type backend struct {
	target   targets
	sessions *sessions
	listener control.Listener
	trace    *traceLines
	// warm keeps an lldb-dap ready for the next session.
	warm *warm.Keeper
}

// progress tells the window how far the request of ctx is.
func (b *backend) progress(ctx context.Context) func(format string, args ...any) {
	return func(format string, args ...any) {
		b.listener.Progress(control.ProgressNote{Request: control.RequestOf(ctx), Message: fmt.Sprintf(format, args...)})
	}
}
