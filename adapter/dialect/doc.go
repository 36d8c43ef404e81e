// Package dialect translates between the way a client counts lines and columns and
// names files, and lldb-dap's: from 1, by paths. lldb-dap 19 and 22 ignore what a
// client says of that in initialize.
//
//	client: line 4, file:///src/a.cc ──Request──▶ line 5, /src/a.cc :lldb-dap
//	client: line 4, file:///src/a.cc ◀──Reply──── line 5, /src/a.cc :lldb-dap
//
// Which fields carry what is a table for each message, from the protocol's
// specification and from what lldb-dap was seen to send. Most clients count from 1
// and use paths; their messages are not looked into.
//
// The package has no goroutines.
package dialect
