package version

import (
	"runtime/debug"
	"testing"
)

func TestTheVersionIsTheBestThatIsKnown(t *testing.T) {
	build := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "3f0c91aa"}
	for _, x := range []struct {
		name, stamp string
		info        *debug.BuildInfo
		want        string
	}{
		{"built by make", "0.1.0+e3a3f89", build("v0.1.0", commit), "0.1.0+e3a3f89"},
		{"installed by go install", "", build("v0.1.0", commit), "v0.1.0"},
		{"built in a checkout", "", build("(devel)", commit), "3f0c91aa"},
		{"built in a changed checkout", "", build("(devel)", commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), "3f0c91aa+changed"},
		{"built without Git", "", build("(devel)"), "unknown"},
		{"built without modules", "", nil, "unknown"},
	} {
		if got := choose(x.stamp, x.info); got != x.want {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
	if String() == "" {
		t.Error("this test's own build has no version")
	}
}
