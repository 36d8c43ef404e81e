//go:build linux

package gate

import "strings"

// Query returns what makes Envoy, started with these arguments (without argv[0]),
// answer a question and end instead of serving: "--version" or "--mode validate",
// for example. It is empty for the start of a proxy.
func Query(args []string) string {
	for i, arg := range args {
		name, value, inOne := strings.Cut(arg, "=")
		switch name {
		case "--":
			return ""
		case "--version", "--hot-restart-version", "--help", "-h":
			return arg
		case "--mode":
			if !inOne && i+1 < len(args) {
				value = args[i+1]
			}
			if value == "validate" {
				return "--mode validate"
			}
		}
	}
	return ""
}
