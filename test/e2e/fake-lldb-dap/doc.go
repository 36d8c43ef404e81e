// Fake-lldb-dap stands in for an lldb-dap that does what the real ones cannot be
// made to do. The name that it is started by selects what:
//
//	fake-lldb-dap-old     reports that it is LLDB 18
//	fake-lldb-dap-big     answers threads with 8 MiB
//	fake-lldb-dap-flood   sends 50,000 output events after its launch
//	fake-lldb-dap-mute    closes its stdout at initialize
//
// It has no goroutines.
package main
