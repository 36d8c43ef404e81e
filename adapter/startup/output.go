package startup

import (
	"context"
	"fmt"
	"os"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
)

// openOutput opens the file or the terminal for the agent's output, if there is to be one.
func (s *Startup) openOutput(ctx context.Context) error {
	path := s.cfg.Agent.Output
	switch path {
	case config.OutputConsole, config.OutputHide:
		return nil
	case config.OutputTerminal:
		return s.openTerminal(ctx)
	}
	// A pipe that nobody reads opens for nobody.
	file, err := abandonable(ctx, func() (*os.File, error) {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err == nil && ctx.Err() != nil {
			_ = file.Close() // too late for the session
		}
		return file, err
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fault.BadAttribute("agent.output", fmt.Sprintf("names %s, which cannot be written: %v", path, fault.WithoutPath(err)), "Name another file.")
	}
	s.agentLog = file // End closes it
	return nil
}

// output takes what the agent and Envoy write.
func (s *Startup) output(p helper.OutputParams) {
	switch s.cfg.Agent.Output {
	case config.OutputConsole:
	case config.OutputTerminal:
		if s.terminal.write(p.Data) {
			return
		}
	default:
		_, _ = s.hidden.Write(p.Data)
		if s.agentLog != nil {
			_, _ = s.agentLog.Write(p.Data) // a full disk must not end the session
		}
		return
	}
	category := stdout
	if p.Stream == stderr {
		category = stderr
	}
	whole, rest := splitUTF8(append(s.partial[p.Stream], p.Data...))
	s.partial[p.Stream] = append([]byte(nil), rest...)
	if len(whole) > 0 {
		s.host.Output(category, string(whole))
	}
}

// reveal shows the ends of an output that was not shown: it may say why the startup has
// failed.
func (s *Startup) reveal() {
	if text := s.hidden.String(); text != "" {
		s.host.Output(stdout, text+"\n")
	}
}
