package config

import "regexp"

// CaptureAll is what the pod's own iptables say.
const CaptureAll = "all"

var owner = regexp.MustCompile(`^(uid|gid)[: ] ?([0-9]{1,9})$`)

// Owner is the user or group in a value of the attribute capture: "uid 1000" or "uid:1000"
// is the kind "uid" with the number "1000". ok is false for everything else.
func Owner(capture string) (kind, id string, ok bool) {
	m := owner.FindStringSubmatch(capture)
	if m == nil {
		return "", "", false
	}
	return m[1], m[2], true
}
