// Package checkout finds the folder that holds this project, for tests and
// benchmarks that read its documents or run its programs.
//
// It has no goroutines.
package checkout
