package startup

import (
	"fmt"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
)

// Bounds of sessions that begin again by themselves: how often in a row, and how long an
// Envoy must have lived for the row to begin anew.
const (
	maxAgain  = 3
	aliveTime = time.Minute
)

// Again is how often in a row the session will have begun again with the one that follows
// this end, which Envoy has come to by itself; 0 if none follows. It is called where the
// sequence tells the end.
func (s *Startup) Again() int {
	if !s.cfg.Restart || s.reached == nil {
		return 0
	}
	before := config.RestartedOf([]byte(s.opts.Arguments))
	if time.Since(s.reached.Time) >= aliveTime {
		before = 0
	}
	if before >= maxAgain {
		s.host.Output(console, fmt.Sprintf("The session does not begin again: Envoy has ended within %v, %d times in a row.\n", aliveTime, before+1))
		return 0
	}
	return before + 1
}
