package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// DebugServer is one that somebody has started, in place of the session's own.
type DebugServer struct {
	// Connect is where an lldb-server platform listens, as it is reached from beside
	// Envoy: "connect://HOST:PORT". Empty for the session's own.
	Connect string `json:"connect"`
}

// connectScheme begins the name of a debug server that somebody has started.
const connectScheme = "connect://"

// connectExample shows the form.
const connectExample = `"connect://127.0.0.1:2159"`

// ByHand is the HOST:PORT of a debug server that somebody has started by hand; empty for
// the session's own.
func (c *Config) ByHand() string { return strings.TrimPrefix(c.DebugServer.Connect, connectScheme) }

// withoutPort takes a debugServer out that is VS Code's: a number, the port of a debug
// adapter that runs already.
func withoutPort(arguments []byte) []byte {
	if gjson.GetBytes(arguments, "debugServer").Type != gjson.Number {
		return arguments
	}
	without, err := sjson.DeleteBytes(arguments, "debugServer")
	if err != nil {
		return arguments
	}
	return without
}

// validateDebugServer looks at the debug server and at what does not go with it.
func (c *Config) validateDebugServer(arguments []byte) error {
	v := gjson.GetBytes(arguments, "debugServer")
	if !v.Exists() || v.Type == gjson.Null {
		return nil
	}
	const name = "debugServer.connect"
	connect := c.DebugServer.Connect
	if connect == "" {
		return fault.BadAttribute(name, "is missing", "It must be where lldb-server listens, for example "+connectExample+".")
	}
	address, ok := strings.CutPrefix(connect, connectScheme)
	host, port, err := net.SplitHostPort(address)
	if n, portErr := strconv.Atoi(port); !ok || err != nil || host == "" || portErr != nil || n < 1 || n > 65535 {
		return fault.BadAttribute(name, fmt.Sprintf("is %q", connect), "It must be connect://HOST:PORT, for example "+connectExample+".")
	}
	switch {
	case c.LLDBServer != "":
		return fault.BadAttribute("lldbServer", "does not go with "+fault.Name(name), "Remove one of the two: the debug server that was started is the one to use.")
	case c.AtEnd == AtEndKeepStopped:
		return fault.BadAttribute("atEnd", fmt.Sprintf("is %q, which does not go with %s", c.AtEnd, fault.Name(name)),
			"Only the end of that debug server would keep Envoy stopped, and it is not the session's to end. Choose another one.")
	}
	return nil
}
