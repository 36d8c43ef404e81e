package terminal

import (
	"io"
	"os"

	"github.com/envoydbg/envoydbg/adapter"
)

// Options configure a run.
type Options struct {
	Session adapter.Options

	// Attributes are launch attributes, as in launch.json.
	Attributes map[string]any
	// Breaks are presets, FILE:LINE or function names.
	Breaks []string
	// Script is carried out instead of reading Input.
	Script []string
	// Interactive says that a person types the Input.
	Interactive bool
	// Live says that Input is a terminal or a pipe, whose other end can be closed
	// at any time, and not a file.
	Live bool
	JSON bool

	Input  io.Reader
	Output io.Writer
	// Errors is for what went wrong; nil if that belongs on the same terminal as
	// the Output.
	Errors io.Writer

	// Screen is Output if that is a terminal which can move its cursor. The phase
	// under way is then shown in place.
	Screen *os.File
	// Keyboard is Input if lines are to be edited on the Screen.
	Keyboard *os.File
	// CtrlC is called when that is pressed on the Keyboard.
	CtrlC func()
	// Prompt says that a person types the Input and reads the Output.
	Prompt bool

	// Interrupt ends the session when a signal comes.
	Interrupt <-chan os.Signal
	// Pause pauses Envoy; nil if a signal is always the end.
	Pause *Pause
}
