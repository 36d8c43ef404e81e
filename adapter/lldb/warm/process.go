package warm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/gdbremote"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/trace"
)

// Environment is what lldb-dap's has for a startup session whose sockets are in dir.
func Environment(dir string) []string {
	return []string{gdbremote.SchemeVariable + "=" + gdbremote.Scheme(dir),
		// What LLDB writes goes with the folder, also when the adapter is killed.
		"TMPDIR=" + dir,
		// By default LLDB asks these servers for symbols, and waits seconds for an
		// answer where there is no network.
		"DEBUGINFOD_URLS="}
}

// Process is an lldb-dap that has the symbols of a program.
type Process struct {
	// Dir is its folder, of mode 0700: its environment names it, so a session that takes
	// the process has its sockets there.
	Dir string

	want     Want
	borrowed *borrowed // from a window; else:
	child    *lldb.Child
	server   *lldb.Server // LLDB 20 and newer
	dap      *lldb.DAP    // LLDB 19, and answer is the one to its initialize request
	answer   *dapio.Message
	// gone is closed when the process has ended before a session had it.
	gone chan struct{}
}

// PID is its process id.
func (p *Process) PID() int {
	if p.borrowed != nil {
		return p.borrowed.PID()
	}
	return p.child.PID()
}

// healthTime bounds the first answer of a process that stands by.
const healthTime = 2 * time.Second

// Open gives a process to its session: it returns its debugger, as h hears it, and the answer
// to the client's initialize request. After an error the process is of no use.
func (p *Process) Open(ctx context.Context, hello *dapio.Message, h lldb.Handler, t *trace.Trace) (*lldb.DAP, *dapio.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTime)
	defer cancel()
	if p.borrowed != nil {
		return p.borrowed.open(ctx, hello, h, t)
	}
	p.child.High()
	if p.server != nil {
		d, err := p.server.Connect(true, h, t)
		if err != nil {
			return nil, nil, err
		}
		answer, err := d.Initialize(ctx, hello)
		if err != nil {
			_ = d.Close()
			return nil, nil, err
		}
		return d, answer, nil
	}
	// Whether it is well shows in an answer to something that changes nothing.
	if _, err := p.dap.Ask(ctx, dapio.NewRequest("threads", nil)); err != nil {
		return nil, nil, err
	}
	if !p.dap.Adopt(h, t) {
		return nil, nil, lldb.ErrGone
	}
	return p.dap, p.answer, nil
}

// Close ends the process, unless its session's debugger has been closed before; then nothing
// is left of its folder, either.
func (p *Process) Close() {
	switch {
	case p.borrowed != nil:
		p.borrowed.end()
		return // its window removes the folder
	case p.dap != nil:
		_ = p.dap.Close()
	case p.server != nil:
		p.server.End()
	}
	_ = os.RemoveAll(p.Dir)
}

// bystander hears an lldb-dap that no session has.
type bystander struct{}

func (bystander) Message(*dapio.Message) {}
func (bystander) Ready()                 {}
func (bystander) Ended()                 {}

// start starts a process in a new folder. It has no symbols yet; see warm. It gives way to
// all others until a session has it, or for good.
func start(ctx context.Context, dir string, w Want, size int64, forGood bool, t *trace.Trace) (p *Process, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	p = &Process{Dir: dir, want: w, gone: make(chan struct{})}
	program := lldb.Program{Path: w.LLDBDap, Folder: w.Folder, Env: Environment(dir)}
	if w.Version.TakesConnections() {
		if p.server, err = lldb.StartServer(ctx, program, filepath.Join(dir, "dap")); err == nil {
			p.child = p.server.Child
		}
	} else {
		program.Commands = w.commands(size)
		if p.child, err = lldb.Start(ctx, program); err == nil {
			p.dap = lldb.Talk(p.child, p.child.Stdin, p.child.Stdout, false, bystander{}, t)
		}
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	go func() {
		<-p.child.Done()
		close(p.gone)
	}()
	low := p.child.Low(forGood)
	t.Line("warm", "pid %d, low priority: %t", p.PID(), low)
	return p, nil
}

// warm has the process read the symbols, and returns when it has.
func (p *Process) warm(ctx context.Context, size int64, t *trace.Trace) (err error) {
	if p.dap != nil {
		p.answer, err = p.dap.Initialize(ctx, dapio.NewRequest("initialize", json.RawMessage(p.want.Hello)))
		return err
	}
	d, err := p.server.Connect(false, bystander{}, t)
	if err != nil {
		return err
	}
	if _, err := d.Initialize(ctx, dapio.NewRequest("initialize", map[string]string{"adapterID": "envoydbg"})); err != nil {
		return err
	}
	// An attach of which no process comes: what counts are the commands before. lldb-dap
	// answers it with an error after configurationDone.
	failed := make(chan error, 1)
	if _, err := d.Call(dapio.NewRequest("attach", map[string]any{"initCommands": p.want.commands(size), "attachCommands": []string{"?platform status"}}),
		func(_ *dapio.Message, err error) { failed <- err }); err != nil {
		return err
	}
	if _, err := d.Call(dapio.NewRequest("configurationDone", nil), func(*dapio.Message, error) {}); err != nil {
		return err
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	if _, err := d.Ask(ctx, dapio.NewRequest("disconnect", nil)); err != nil {
		return err
	}
	// It ends by SIGPIPE when its client has gone before its last write.
	if err := d.Left(ctx); err != nil {
		return fmt.Errorf("its first client cannot leave: %w", err)
	}
	return nil
}

// errEnded is the error of a process that has ended by itself.
var errEnded = errors.New("it has ended by itself")
