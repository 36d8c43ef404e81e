// Package local is the target "local": Envoy runs on this machine, and the helper
// as a child of the adapter.
//
//	startup ──Target.Connect──▶ helper (child) ──▶ lldb-server, agent
//	   │                                                 ▲
//	   └── Dial: straight to lldb-server's unix socket ──┘
//
// Where the helper was killed and could not clean up, Close ends what it had
// started. The package has no goroutines of its own.
package local
