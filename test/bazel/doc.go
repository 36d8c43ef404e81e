// Package bazel holds the workspace istio_proxy, which Bazel builds in several
// variants, and tests that pin what a debugger is told in each: the names under
// which the debug information has the sources. README.md explains them.
//
// The tests run build.sh, in a network namespace of their own that has no way
// out, and read its results with llvm-dwarfdump; nothing of this project's own
// reader is used, so that it may be tested against these facts.
package bazel
