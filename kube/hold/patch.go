package hold

import (
	"encoding/json"
	"strings"
)

// Operation is one of a JSON patch (RFC 6902).
type Operation struct {
	Op   string `json:"op"` // test, add, replace or remove
	Path string `json:"path"`
	// Value is JSON; nil for remove.
	Value json.RawMessage `json:"value,omitempty"`
}

// at is a path of JSON pointers (RFC 6901).
func at(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return b.String()
}
