package adapter

import (
	"crypto/rand"
	"encoding/hex"
)

// newID names a session: 8 hex digits, enough that two sessions on one machine
// do not meet.
func newID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}
