// Package client is a Debug Adapter Protocol client: what drives a session from
// a terminal, and from a test.
//
//	Call ──request──▶ adapter
//	                  adapter ──any message──▶ reader ──▶ Log (in the order of arrival)
//	                                                        ├──▶ Call, by request_seq
//	                                                        └──▶ Wait, by what the caller looks for
//
// Nothing that arrives is lost or consumed: a Wait names the place in the log
// from which on it looks, so that it is never too late, and the whole log can be
// printed when something went wrong.
//
// Goroutines: one reader, which ends with the adapter's stream; and that of the
// dapio.Writer.
package client
