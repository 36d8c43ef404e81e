package lldb

import (
	"os"
	"path/filepath"
	"strings"
)

// InitFile is the user's ~/.lldbinit, which LLDB reads when it starts; "" without a home.
func InitFile() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".lldbinit")
}

// InitCommands are the lines of InitFile; none where there is no such file.
func InitCommands() []string {
	text, err := os.ReadFile(InitFile())
	if err != nil {
		return nil
	}
	return strings.Split(string(text), "\n")
}
