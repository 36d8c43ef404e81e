// Package remote reaches Envoy where the adapter can only run commands, such as in a
// pod by exec: it starts the helper there as a daemon, and speaks to it over a link
// that outlives the commands' streams.
//
//	Connect ─▶ Place.Serve ─────── Run("serve") ────▶ starts the daemon
//	        └▶ link ◀──┘ the same stream ───────────▶ daemon ─▶ lldb-server, agent
//	             └▶ Place.Dial ─── Run("connect") ──▶   ▲ after each cut
//
// How a command gets there is the caller's, by [helper.Run]. The package turns the
// errors on the way into those of the catalogue. It has no goroutines of its own.
package remote
