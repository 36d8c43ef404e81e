//go:build !linux

package process

// Needs returns nil: how much room there is is not known here.
func Needs(int) error { return nil }
