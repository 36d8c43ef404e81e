package version

import "runtime/debug"

// String is the version that the go command has recorded: the Git tag, or
// v0.0.0-DATE-COMMIT, with "+dirty" when files were changed. It is "(devel)" for
// a build outside a Git checkout.
func String() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
