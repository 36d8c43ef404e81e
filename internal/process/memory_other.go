//go:build !linux

package process

// MemoryShort returns "": how much memory is left is not known here.
func MemoryShort(int64) string { return "" }

// Anonymous returns 0: how much memory a process has is not known here.
func Anonymous(int) int64 { return 0 }
