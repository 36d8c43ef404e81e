// Package command is the command line of envoydbg: what its words mean, and
// nothing of what they do.
//
//	dap        adapter.Session on stdio, or one child process per connection with --listen
//	serve      control.Server on stdio for an editor's window; its sessions are
//	           adapter.Sessions in the same process, each on a unix socket of its own,
//	           and take an lldb-dap that stands by from its warm.Keeper; so do those of
//	           run and dap from another process, by warm.Lending and warm.Windows
//	run        terminal.Run: the same session driven from a terminal
//	hold, release, status
//	           kube.Cluster.Copy, HoldWorkload, Release, Held; a session that holds by
//	           itself is a startup.Target around pod.Target (holding)
//	request    traffic.Run: HTTP requests from a pod's application
//	sourcemap  sourcemap.Load and its report
//	version
//
// It is also where the packages meet that must not know each other: the source
// map is given to a session here.
//
// Goroutines: one passes on signals, until the process ends; one runs the session
// of dap; with --listen one waits for each child. Serve has one for each session that is
// open, one that sends traces to the window, one that tells it what stands by, and those of
// control.Server, warm.Keeper and warm.Lending.
package command
