package startup

import (
	"slices"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// defaults are settings of LLDB's that a startup is better with. The user's own win: those
// of initCommands come behind them, and what ~/.lldbinit says, which LLDB reads before,
// is left alone.
func (s *Startup) defaults() []string {
	said := lldb.InitCommands()
	var commands []string
	if !mentions(said, "SIGPIPE") {
		// Envoy ignores the signal. Targets made later copy the setting.
		commands = append(commands, "?process handle --notify false --pass true --stop false SIGPIPE")
	}
	if !mentions(said, "preload-symbols") {
		commands = append(commands, lldb.Lazy()...)
	}
	if UsesIndexCache(s.cfg) {
		cache, why := s.opts.LLDB.IndexCache(s.local.Size)
		if why != "" {
			s.host.Output(console, "LLDB's index cache is off for this session: "+why+".\n")
		}
		commands = append(commands, cache...)
	}
	return commands
}

// UsesIndexCache reports whether a session turns LLDB's index cache on, where there is room.
func UsesIndexCache(cfg *config.Config) bool {
	return cfg.IndexCache && !mentions(lldb.InitCommands(), "lldb-index-cache")
}

// quietAttach are commands around the attach. They undo themselves by going back to LLDB's
// defaults, so they are left out for what the user has said anything of.
func (s *Startup) quietAttach() (before, after []string) {
	said := slices.Concat(lldb.InitCommands(), s.cfg.InitCommands, s.cfg.PreRunCommands)
	return s.opts.LLDB.QuietAttach(func(setting string) bool { return mentions(said, setting) })
}

// mentions reports whether commands say something of a setting, or may: what they read
// from another file is not known here.
func mentions(commands []string, word string) bool {
	return slices.ContainsFunc(commands, func(c string) bool {
		return strings.Contains(c, word) || strings.Contains(c, "command source") || strings.Contains(c, "settings read")
	})
}
