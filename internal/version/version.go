package version

import "runtime/debug"

// stamp is set by the linker: go build -ldflags "-X …/internal/version.stamp=1.2.3".
var stamp string

// String is the version that make has given, else that of the module, else the
// commit that Go has noted; "unknown" for a build without any of these.
func String() string {
	info, _ := debug.ReadBuildInfo()
	return choose(stamp, info)
}

func choose(stamp string, info *debug.BuildInfo) string {
	switch {
	case stamp != "":
		return stamp
	case info == nil:
		return "unknown"
	case info.Main.Version != "" && info.Main.Version != "(devel)":
		return info.Main.Version
	}
	revision, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changed"
		}
	}
	if revision == "" {
		return "unknown"
	}
	return revision + changed
}
