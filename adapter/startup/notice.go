package startup

import (
	"context"
	"strings"
	"time"
)

// Bounds of Noticed.
const (
	noticeTime  = 10 * time.Second
	noticeEvery = 50 * time.Millisecond
)

// Noticed calls then, on a goroutine of its own, when LLDB says that Envoy runs, or has said
// nothing like it for some seconds. The state can only be asked for: lldb-dap has no event
// for it.
func (s *Startup) Noticed(then func()) {
	go func() {
		defer then()
		ctx, cancel := context.WithTimeout(context.Background(), noticeTime)
		defer cancel()
		for {
			said, err := s.command(ctx, "process status")
			if err != nil || strings.Contains(said, "is running") {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-s.done:
				return
			case <-time.After(noticeEvery):
			}
		}
	}()
}
