package startup

import "testing"

func TestWhatTheUserMayHaveSetIsLeftAlone(t *testing.T) {
	for _, c := range []struct {
		line string
		want bool
	}{
		{"settings set target.preload-symbols true", true},
		{"  setting set -g target.preload-symbols 1", true},
		{"command source ~/.lldb/common", true}, // nobody knows what is there
		{"settings read -f ~/.lldb/settings", true},
		{"settings set target.source-map /a /b", false},
		{"command script import ~/formatters.py", false},
		{"", false},
	} {
		if got := mentions([]string{"# mine", c.line}, "preload-symbols"); got != c.want {
			t.Errorf("%q: %v", c.line, got)
		}
	}
}
