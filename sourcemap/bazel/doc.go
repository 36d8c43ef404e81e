// Package bazel knows the paths that Bazel leaves in debug information, and
// where their files are on this machine.
//
//	"/…/sandbox/linux-sandbox/7/execroot/ws/external/dep/a.cc"
//	      │ Split
//	      ▼
//	root "/…/sandbox/linux-sandbox/7/execroot/ws"   what Bazel calls the execution root
//	rest "external/dep/a.cc"                         the same in every root
//	      │ Tree.Candidates
//	      ▼
//	<output base>/external/dep/a.cc, …               local files, best first
//
// An action runs in an execution root; which one differs from action to action
// and from build to build (sandboxes are numbered), what lies in it does not.
// So a file is known by its rest, and the root only tells what kind of path it is.
//
// Layouts: https://bazel.build/remote/output-directories and the sandbox
// strategies of https://bazel.build/docs/sandboxing.
package bazel
