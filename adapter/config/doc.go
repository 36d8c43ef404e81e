// Package config holds the launch attributes: what a user may write in
// launch.json for "Envoy: Debug Startup", and the same from the command line.
//
//	arguments (JSON) ──Parse──▶ Config, valid ──Check──▶ what it names is there ──▶ adapter
//	       │              └──▶ warnings: attributes without effect
//	       └── every attribute that is not ours stays in the request and reaches lldb-dap
//
// docs/attributes.md describes each attribute for the user; a test keeps it,
// package.json and this package in step.
package config
