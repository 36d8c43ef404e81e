// Package watch tells when something has changed in folders: a rebuild, links that go and
// come back.
//
//	folders() ──▶ Folders ──▶ look, once at the start and after each time of changes
//	               ▲
//	            fsnotify
//
// Folders are watched and not files, because a build replaces files.
//
// The package has no goroutines of its own: Folders runs on its caller's.
package watch
