//go:build linux

package server

import "regexp"

// reference is $(NAME), or $$, which stands for a $ that begins none (Kubernetes,
// "Define dependent environment variables").
var reference = regexp.MustCompile(`\$\$|\$\([-._a-zA-Z0-9]+\)`)

// expand replaces references to variables of env. What is not in env stays as it is.
func expand(command, env []string) []string {
	out := make([]string, len(command))
	for i, word := range command {
		out[i] = reference.ReplaceAllStringFunc(word, func(ref string) string {
			if ref == "$$" {
				return "$"
			}
			if value, ok := lookupEnv(env, ref[2:len(ref)-1]); ok {
				return value
			}
			return ref
		})
	}
	return out
}
