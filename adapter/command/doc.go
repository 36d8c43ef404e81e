// Package command is the command line of envoydbg: what its words mean, and
// nothing of what they do.
//
//	dap      adapter.Session on stdio, or one child process per connection with --listen
//	run      terminal.Run: the same session driven from a terminal
//	version
package command
