// Package client is a Debug Adapter Protocol client: what drives a session from
// a terminal, and from a test.
//
//	Conn    Send ──request──▶ adapter ──any message──▶ reader ──▶ Messages
//
//	Client  Call, Send ──▶ Conn ──Messages──▶ Log, in the order of arrival
//	                                           ├──▶ Call, by request_seq
//	                                           └──▶ Wait, by what the caller looks for
//
// A [Conn] keeps nothing, so that a session may last for days. A [Client] is for
// tests, and keeps everything: a Wait names the place in the log where it starts
// to look, so that it is never too late, and the whole log can be printed when
// something went wrong.
//
// Goroutines: one reader for each connection, which ends with the adapter's
// stream; one that fills a Client's log, which ends with it; and that of the
// dapio.Writer.
package client
