package terminal

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/envoydbg/envoydbg/adapter"
	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// Options configure a run.
type Options struct {
	Session adapter.Options

	// Attributes are launch attributes, as in launch.json.
	Attributes map[string]any
	// Breaks are presets, FILE:LINE or function names.
	Breaks []string
	// Script is run before the keyboard is read.
	Script []string
	// Interactive says that Input is a terminal.
	Interactive bool
	// Live says that Input is a terminal or a pipe, whose other end can be closed
	// at any time, and not a file.
	Live bool
	// Tty says that Output is a terminal.
	Tty    bool
	JSON   bool
	Input  io.Reader
	Output io.Writer
	// Interrupt ends the session when a signal comes.
	Interrupt <-chan os.Signal
}

// breakpoints sorts what --break was given.
type breakpoints struct {
	presets   []string
	functions []string
	lines     map[string][]int // by absolute path
	files     []string         // keys of lines, in order
}

func parseBreaks(specs []string) (breakpoints, error) {
	b := breakpoints{lines: map[string][]int{}}
	for _, spec := range specs {
		switch spec {
		case "":
			return b, fault.Usage("--break is empty", "Give a preset (main, syscalls, libevent), FILE:LINE or a function.")
		case config.PresetMain, config.PresetSyscalls, config.PresetLibevent:
			b.presets = append(b.presets, spec)
			continue
		}
		file, line, ok := cutLine(spec)
		if !ok {
			b.functions = append(b.functions, spec)
			continue
		}
		if line == 0 {
			return b, fault.Usage(fmt.Sprintf("--break %s has no line 0", spec), "Lines are counted from 1.")
		}
		path, err := filepath.Abs(file)
		if err != nil {
			return b, fault.Usage(fmt.Sprintf("--break %s: %v", spec, err), "Give the file with its whole path.")
		}
		if b.lines[path] == nil {
			b.files = append(b.files, path)
		}
		b.lines[path] = append(b.lines[path], line)
	}
	return b, nil
}

// cutLine splits FILE:LINE; a C++ name like A::b is none.
func cutLine(spec string) (string, int, bool) {
	at := strings.LastIndexByte(spec, ':')
	if at <= 0 || spec[at-1] == ':' {
		return "", 0, false
	}
	n, err := strconv.Atoi(spec[at+1:])
	return spec[:at], n, err == nil && n >= 0
}
