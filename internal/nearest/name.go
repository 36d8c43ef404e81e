package nearest

import (
	"slices"
	"strings"
)

// Name returns the one of the known names that word is probably a slip of the pen for.
// Hyphens and underscores do not count, so that envoy-path is envoyPath. Without one
// near enough, or for a known name itself, ok is false.
func Name(word string, known []string) (name string, ok bool) {
	if slices.Contains(known, word) {
		return "", false
	}
	bare := make([]string, len(known))
	for i, k := range known {
		bare[i] = separators.Replace(k)
	}
	found := Among(separators.Replace(word), bare, 1)
	if len(found) == 0 {
		return "", false
	}
	return known[slices.Index(bare, found[0])], true
}

var separators = strings.NewReplacer("-", "", "_", "")
