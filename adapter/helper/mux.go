package helper

import (
	"io"
	"time"

	"github.com/hashicorp/yamux"
)

// MuxConfig is how both sides multiplex the byte stream. Nothing in it gives up
// by the clock: an adapter that stands in a debugger of its own, or a client
// that reads nothing for an hour, is no error. A dead link shows as the end of
// the byte stream.
func MuxConfig() *yamux.Config {
	c := yamux.DefaultConfig()
	c.EnableKeepAlive = false
	c.ConnectionWriteTimeout = 10 * 365 * 24 * time.Hour
	c.StreamOpenTimeout = 0
	c.StreamCloseTimeout = 0 // a half-closed stream may be read for ever
	c.LogOutput = io.Discard // errors come back as errors
	return c
}
