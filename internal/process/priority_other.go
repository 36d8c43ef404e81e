//go:build !linux

package process

// Low does nothing: it is a courtesy, and this system has other means.
func (c *Child) Low(forGood bool) (processor bool) { return false }

// High takes Low back.
func (c *Child) High() {}
