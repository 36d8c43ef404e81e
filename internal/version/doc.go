// Package version says which build a program is.
//
//	make, module or commit ──▶ String
//
// It has no goroutines.
package version
