//go:build !linux

package process

// MemoryShort returns "": how much memory is left is not known here.
func MemoryShort(int64) string { return "" }
