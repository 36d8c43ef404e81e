// Package pod is the target of a startup in a container that is reached only by
// running commands in it. It knows no Kubernetes: a [Container] does that.
//
//	startup ─▶ Target.Connect ─▶ Find ─▶ Container
//	                  │                     │ Exec: place the helper, or, without a shell,
//	                  │                     │ Beside: another container that carries it in
//	                  │                     │ Stream: helper serve, connect, connect, …
//	                  ▼                     ▼
//	           remote.Connect ◀── link over such streams ──▶ helper in the container
//	                                        ▲
//	   Target.LLDBServer ─▶ bundle ─────────┘ Exec: helper unpack
//
// A request through the sidecar (forward.go) has a helper of its own in the application's
// container, as a child of an exec, and no link.
//
// Else all goes through the one link: the helper's answers, the output of the agent, and
// the connections of the debug server.
//
// Goroutines: one for each place where a helper is looked for without a shell, until it is
// found out whether it is there.
package pod
