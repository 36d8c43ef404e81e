package nearest

import (
	"strings"

	"github.com/agext/levenshtein"
)

// Name returns the candidate that word is probably a slip of the pen for. Case,
// hyphens and underscores do not count, so that envoy-path is envoyPath. Without a
// candidate near enough, or for a candidate itself, ok is false.
func Name(word string, candidates []string) (name string, ok bool) {
	typed := bare(word)
	best := limit(len(typed)) + 1
	for _, c := range candidates {
		if c == word {
			return "", false
		}
		if d := levenshtein.Distance(typed, bare(c), nil); d < best {
			name, best = c, d
		}
	}
	return name, name != ""
}

var separators = strings.NewReplacer("-", "", "_", "")

func bare(s string) string { return separators.Replace(strings.ToLower(s)) }

// limit is how many letters of a word may be wrong. Of a short word, one is much.
func limit(letters int) int {
	switch {
	case letters < 3:
		return 0
	case letters < 6:
		return 1
	case letters < 9:
		return 2
	}
	return 3
}
