package trace

import (
	"os"
	"sync"
	"syscall"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// File is a file for a trace. After the first write that fails nothing is written: a trace
// with a gap would mislead.
type File struct {
	file *os.File
	cut  func(*fault.Fault)

	mu     sync.Mutex
	failed bool
}

// OpenFile opens a file to append to: several sessions may share it. It does not wait for
// the reader of a pipe. cut is told, once, that the trace is incomplete. The error is a
// fault.
func OpenFile(path string, cut func(*fault.Fault)) (*File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, fault.Log(path, fault.WithoutPath(err))
	}
	return &File{file: file, cut: cut}, nil
}

// Write implements io.Writer; whoever writes does not learn of an error.
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed {
		return len(p), nil
	}
	if _, err := f.file.Write(p); err != nil {
		f.failed = true
		f.cut(fault.LogCut(f.file.Name(), fault.WithoutPath(err)))
	}
	return len(p), nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }
