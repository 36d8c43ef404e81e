//go:build !linux

package process

import "math"

// Room is not known here.
func Room() (left int, limit string) { return math.MaxInt, "" }
