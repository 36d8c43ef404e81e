package adapter

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/tidwall/sjson"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// attachRequest turns the client's request into the attach that lldb-dap gets:
// the client's own JSON with the adapter's attributes taken out and these put in:
//
//	initCommands    the platform first, then the user's
//	attachCommands  the target with the local program standing for the remote
//	                one, the user's preRunCommands, the wait
//
// The target is made here and not by lldb-dap's "program" because only the
// command can say which remote file the program stands for; otherwise LLDB
// downloads that file and debugs without the local symbols.
func (r *startup) attachRequest() (*dapio.Message, error) {
	args := []byte(r.req.Get("arguments").Raw)
	var err error
	drop := append([]string{"program", "preRunCommands"}, config.Own...)
	sources := r.rewrite.current()
	if sources != nil {
		// The user's entries are part of the adapter's map, and come back below.
		drop = append(drop, "sourceMap")
	}
	for _, name := range drop {
		if args, err = sjson.DeleteBytes(args, name); err != nil {
			return nil, err
		}
	}
	// "!" ends the attach at the first command that fails; "?" keeps quiet
	// about those that do not (lldb-dap, "Command prefixes").
	initCommands := append([]string{
		// Debian's LLDB 22 asks the network for symbols by default, and waits
		// seconds for an answer where there is none.
		"?settings clear plugin.symbol-locator.debuginfod.server-urls",
		"?!platform select remote-linux",
		"?!platform connect " + r.relay.URL(),
	}, r.forwardMap(sources)...)
	initCommands = append(initCommands, r.cfg.InitCommands...)
	attachCommands := append([]string{
		fmt.Sprintf("?!target create --no-dependents --remote-file %s %s", quote(r.remote.Path), quote(r.cfg.Program)),
	}, r.cfg.PreRunCommands...)
	attachCommands = append(attachCommands,
		// A name that appeared before the wait counts, too: no order of events
		// can miss it.
		fmt.Sprintf("?!process attach --name %s --waitfor --include-existing", quote(r.awaited())))
	for name, list := range map[string][]string{"initCommands": initCommands, "attachCommands": attachCommands} {
		if args, err = sjson.SetRawBytes(args, name, marshal(list)); err != nil {
			return nil, err
		}
	}
	return request("attach", json.RawMessage(args)), nil
}

// forwardMap tells LLDB where sources are, so that what it prints in the debug
// console reads well. The paths in messages are the rewriter's, which knows more.
// And it tells where .dwo files are, which split debug information names below
// the compilation directory.
func (r *startup) forwardMap(sources Sources) []string {
	if sources == nil {
		return nil
	}
	var b strings.Builder
	for _, p := range sources.Forward() {
		// LLDB refuses the whole list for one folder that is not there.
		if st, err := os.Stat(p[1]); err == nil && st.IsDir() {
			b.WriteString(" " + quote(p[0]) + " " + quote(p[1]))
		}
	}
	var commands []string
	if b.Len() > 0 {
		commands = append(commands, "?settings set target.source-map"+b.String())
	}
	if dir := sources.DebugDir(); dir != "" {
		commands = append(commands, "?settings append target.debug-file-search-paths "+quote(dir))
	}
	return commands
}

// quote quotes an argument for LLDB's command line: within double quotes it
// takes a backslash before '"', '\' and '`' literally.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`").Replace(s) + `"`
}
