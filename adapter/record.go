package adapter

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/trace"
)

// record opens the file of the attribute trace, if there is one, and tells where it is.
// From here on there is no secret of the arguments in the trace.
func (s *Session) record(arguments []byte) error {
	s.trace.Hide(config.Secrets(arguments))
	path := string(config.TraceOf(arguments))
	switch path {
	case "":
		s.trace.Also(nil)
		return nil
	case string(config.TraceDefault):
		var err error
		if path, err = s.tracePath(); err != nil {
			return err
		}
	}
	if !filepath.IsAbs(path) {
		return fault.BadAttribute("trace", fmt.Sprintf("is %q", path), "It must be true, or the absolute path of a file.")
	}
	file, err := trace.OpenFile(path, s.client.fault)
	if err != nil {
		return err
	}
	s.trace.Also(file)
	s.client.output(console, fmt.Sprintf("The trace of this session is written to %s. Environments and credentials are left out; what the debugger reads is not.\n", path))
	return nil
}

// tracePath is where a trace is written that is to be found by itself.
func (s *Session) tracePath() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fault.BadAttribute("trace", "finds no folder for a user without a home", "Name a file.")
	}
	dir = filepath.Join(dir, "envoydbg")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fault.Log(dir, fault.WithoutPath(err))
	}
	return filepath.Join(dir, fmt.Sprintf("trace-%s-%s.log", s.began.Format(time.DateOnly+"T150405"), s.id)), nil
}
