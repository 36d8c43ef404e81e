package startup

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/tidwall/sjson"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/adapter/paths"
)

// attachRequest turns the client's request into the attach that lldb-dap gets:
// the client's own JSON with the adapter's attributes taken out and these put in:
//
//	initCommands    defaults of ours, which the user's may change; the user's; the
//	                platform and the target, which the user's must not change
//	program         the local program
//	attachCommands  the wait, and what must be before anything is looked up by name
//	postRunCommands what undoes the rest, then the user's
//
// lldb-dap listens only to a target of its own making: breakpoints that bind later
// and modules are told of that one alone. But only the command can say which remote
// file a local one stands for; otherwise LLDB downloads the remote file and debugs
// without the local symbols. So the command makes a target first, which goes at once;
// lldb-dap's own then finds the module, with its remote file, in LLDB's cache.
func (s *Startup) attachRequest() (*dapio.Message, error) {
	args := []byte(s.opts.Arguments)
	var err error
	drop := config.Own
	sources := s.opts.Paths.Current()
	if sources != nil {
		// The user's entries are part of the adapter's map, and come back below.
		drop = append(drop[:len(drop):len(drop)], "sourceMap")
	}
	for _, name := range drop {
		if args, err = sjson.DeleteBytes(args, name); err != nil {
			return nil, err
		}
	}
	// "!" ends the attach at the first command that fails; "?" keeps quiet
	// about those that do not (lldb-dap, "Command prefixes").
	platform := []string{"?!platform select remote-linux", "?!platform connect " + s.relay.URL()}
	initCommands := slices.Concat([]string{
		// Nobody can answer a question of LLDB's here; LLDB 19 would wait for ever.
		"?settings set auto-confirm true",
	}, s.patience(), s.defaults(), forwardMap(sources), s.cfg.InitCommands, platform, []string{
		fmt.Sprintf("?!target create --no-dependents --remote-file %s %s", lldb.Quote(s.remote.Path), lldb.Quote(s.cfg.Program)),
		"?!target delete",
	})
	quiet, loud := s.quietAttach()
	attachCommands := slices.Concat([]string{
		// A hook that continues the process would let Envoy run before its
		// breakpoints are there.
		"?target stop-hook disable",
	}, quiet, platform, []string{ // again, because the user's preRunCommands may have chosen another
		// A name that appeared before the wait counts, too: no order of events
		// can miss it.
		fmt.Sprintf("?!process attach --name %s --waitfor --include-existing", lldb.Quote(s.awaited())),
	}, s.linkPackage(sources))
	postRunCommands := slices.Concat([]string{"?target stop-hook enable"}, loud, s.cfg.PostRunCommands)
	for name, value := range map[string]any{"postRunCommands": postRunCommands, "initCommands": initCommands, "program": s.cfg.Program, "attachCommands": attachCommands} {
		if args, err = sjson.SetBytes(args, name, value); err != nil {
			return nil, err
		}
	}
	return dapio.NewRequest("attach", json.RawMessage(args)), nil
}

// linkPackage makes a package of split debug information ready for names.
func (s *Startup) linkPackage(sources paths.Sources) []string {
	symbolFile := s.cfg.Program
	if sources != nil {
		symbolFile = sources.SymbolFile()
	}
	return s.opts.LLDB.LinkPackage(s.cfg.Program, symbolFile, s.opts.DebugDirs...)
}

// patience lets LLDB wait for an answer over a connection that may be cut and taken up
// again. By default it gives up after 5 s.
func (s *Startup) patience() []string {
	if s.cfg.Local() {
		return nil
	}
	return []string{"?settings set plugin.process.gdb-remote.packet-timeout 330"}
}

// forwardMap tells LLDB where sources are, so that what it prints in the debug
// console reads well. The paths in messages are the rewriter's, which knows more.
// The user's own map, from an init file, stays behind it.
// And it tells where .dwo files are, which split debug information names below
// the compilation directory.
func forwardMap(sources paths.Sources) []string {
	if sources == nil {
		return nil
	}
	var b strings.Builder
	for _, p := range sources.Forward() {
		// LLDB refuses the whole list for one folder that is not there.
		if st, err := os.Stat(p[1]); err == nil && st.IsDir() {
			b.WriteString(" " + lldb.Quote(p[0]) + " " + lldb.Quote(p[1]))
		}
	}
	var commands []string
	if b.Len() > 0 {
		commands = append(commands, "?settings insert-before target.source-map 0"+b.String())
	}
	if dir := sources.DebugDir(); dir != "" {
		commands = append(commands, "?settings append target.debug-file-search-paths "+lldb.Quote(dir))
	}
	return commands
}
