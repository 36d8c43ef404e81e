// Package traffic sends HTTP requests from a container, and says of each whether the
// Envoy beside it has handled it.
//
//	Run ─▶ http.Transport ── dial ──▶ forward.Client in the application's container
//	 │            ▲                          │ Peer: who has the other end of the connection
//	 │            └── waits, while Envoy ────┤
//	 │                does not listen        │
//	 └─ watch ────────────────────────▶ forward.Client in the sidecar's container
//	                                         Look: does Envoy run, has it that socket
//
// HTTP and TLS are done here, on the workstation: what runs in the container only makes
// connections. So it stays small, and nothing is asked of the container's image.
//
// # What shows that Envoy has handled a request
//
// The other end of the connection, as the kernel has it (package forward), is a socket of
// an Envoy in this pod. Headers of the response are no proof: "server: envoy" also comes
// from the Envoy of the other side, and an application may write what it likes. Neither are
// Envoy's counters: Istio keeps only few of them, none of them those of single clusters, and
// others' requests count, too. Headers are shown beside the proof.
//
// # Time
//
// A request waits as long as Envoy is stopped at a breakpoint, and that time does not
// count. Whether it is stopped is looked at four times a second: the kernel tells nobody
// else than the tracer.
//
// Goroutines: one for each request that is under way at the same time, those of
// http.Transport for each connection, and one that watches Envoy. All end before Run does.
package traffic
