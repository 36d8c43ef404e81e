package paths

import (
	"context"
	"time"
)

// Sources maps source paths between the debug information of one program and
// this machine. It may be asked from several goroutines.
type Sources interface {
	// Local is the file here that a path in the debug information stands for.
	Local(debugPath string) (Source, bool)
	// Debugger is what to ask the debugger for to mean a local file, under any
	// of its names: mostly one path, several where no single one means all
	// places of the file, none for a file that is not in the program.
	Debugger(local string) []string
	// Paths are all paths in the debug information that stand for the file.
	Paths(local string) []string
	// Ending are the files that end with a relative path, at whole elements: files
	// here, or paths in the debug information where there is none here.
	Ending(relative string) []string
	// Short is the shortest ending of a file's path that means this file alone.
	Short(file string) string
	// Nearest are at most n files whose names resemble a path that no file of the
	// program has.
	Nearest(path string, n int) []string
	// Lines are the lines that have code in a file here or, by its path, in the debug
	// information, ascending. It reads the line tables. What was found before an error
	// comes with it.
	Lines(ctx context.Context, file string) ([]int, error)
	// SymbolFile is the file with the debug information: the program or its separate
	// debug file.
	SymbolFile() string
	// Changed reports that the local file is not what was compiled. It may read
	// the file.
	Changed(debugPath string) (Change, bool)
	// Forward is the map as far as prefixes can say it, for what the debugger
	// itself prints: pairs of a folder in the debug information and one here,
	// the first that fits counts.
	Forward() [][2]string
	// DebugDir is the folder below which the program's .dwo files are, by the
	// names in the debug information; "" when unknown.
	DebugDir() string
	// Summary is what was found, in a few words.
	Summary() string
}

// Source is a local file.
type Source struct {
	Path string
	// MD5 is that of the compiled file, in hex; "" when unknown.
	MD5 string
}

// Change says how it is known that a local file is not what was compiled.
type Change struct {
	// Saved and Built are the file's time and the end of the build, where only these
	// tell, and it is likely but not certain. With a checksum both are zero.
	Saved, Built time.Time
}

// Load makes the Sources of a program; nil for one without debug
// information, and with an error as far as a damaged one can be read. changed,
// which may be called at any time until ctx ends, gives new ones when the program
// or its sources' places have changed.
type Load func(ctx context.Context, c Config, changed func(Sources)) (Sources, error)

// Config is what the launch attributes say of sources.
type Config struct {
	Program  string
	WorkTree string
	// DebugDirs are where the debugger looks for a separate debug file, beyond the
	// program's folder and the system's.
	DebugDirs []string
	// Map is the user's sourceMap: pairs of a folder in the debug information
	// and one here.
	Map [][2]string
	// Warn is told, at any time until ctx ends, of what will not work from then
	// on; nil if nobody wants to know.
	Warn func(error)
}
