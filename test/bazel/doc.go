// Package bazel holds the workspace istio_proxy, which Bazel builds in several
// variants, and tests that pin what a debugger is told in each: the names under
// which the debug information has the sources. README.md explains them.
//
// The tests run build.sh in a network namespace without a way out, and read the
// results with llvm-dwarfdump. They do not use this project's own reader, so that it
// can be tested against these facts.
package bazel
