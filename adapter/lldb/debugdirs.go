package lldb

import (
	"os"
	"path/filepath"
	"strings"
)

// DebugDirs are where LLDB looks for separate debug files beyond the program's folder and the
// system's: the folders of target.debug-file-search-paths once it has carried out these
// commands, and its working folder; "" for that of this process.
//
// The order, and what is removed or replaced by its index, do not matter: a debug file is
// known to be the program's by what is in it. Abbreviated commands, and those that another
// file holds, are not seen.
func DebugDirs(commands []string, working string) []string {
	var dirs []string
	for _, c := range commands {
		words := split(strings.TrimLeft(c, "?! ")) // lldb-dap's prefixes
		if len(words) < 2 || words[0] != "settings" {
			continue
		}
		how, rest := words[1], words[2:]
		for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
			rest = rest[1:]
		}
		if len(rest) == 0 || rest[0] != "target.debug-file-search-paths" {
			continue
		}
		rest = rest[1:]
		switch how {
		case "set", "clear":
			dirs = nil
		case "append":
		case "insert-before", "insert-after", "replace":
			rest = rest[min(1, len(rest)):] // the index
		default:
			continue
		}
		dirs = append(dirs, rest...)
	}
	for i, dir := range dirs {
		dirs[i] = absolute(dir, working)
	}
	return append(dirs, absolute("", working))
}

// absolute is a folder as LLDB takes it.
func absolute(dir, working string) string {
	if dir == "~" || strings.HasPrefix(dir, "~/") {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, dir[1:])
		}
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(working, dir)
	}
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// split splits a command into words as LLDB does. A backslash stays where what follows has no
// meaning of its own.
func split(command string) []string {
	var words []string
	var word []byte
	open, quote := false, byte(0)
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
			continue
		case quote == 0 && (c == '"' || c == '\''):
			quote, open = c, true
			continue
		case quote == 0 && (c == ' ' || c == '\t'):
			if open {
				words = append(words, string(word))
			}
			word, open = nil, false
			continue
		case quote != '\'' && c == '\\' && i+1 < len(command):
			escapable := "\\\"`"
			if quote == 0 {
				escapable += "' \t"
			}
			if strings.IndexByte(escapable, command[i+1]) >= 0 {
				i++
				c = command[i]
			}
		}
		word, open = append(word, c), true
	}
	if open {
		words = append(words, string(word))
	}
	return words
}
