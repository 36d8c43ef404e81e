package config

import (
	"strings"
	"testing"
)

func TestADebugServerThatWasStartedByHand(t *testing.T) {
	for attributes, want := range map[string]string{
		`"debugServer": {"connect": "connect://node:2159"}`:  "node:2159",
		`"debugServer": {"connect": "connect://[::1]:2159"}`: "[::1]:2159",
		`"debugServer": null`:                                "",
		`"debugServer": 4711`:                                "", // VS Code's own: the port of a debug adapter
		`"gate": true`:                                       "",
	} {
		c, warnings, err := Parse([]byte(`{"target": "local", ` + attributes + `}`))
		if err != nil || len(warnings) > 0 || c.ByHand() != want {
			t.Errorf("%s: %+v, %v, %v", attributes, c, warnings, err)
		}
	}
	for attributes, want := range map[string]string{
		`"debugServer": "x"`:                                                  `The launch attribute "debugServer" is a string. It must be an object, for example {"connect": "connect://127.0.0.1:2159"}.`,
		`"debugServer": {}`:                                                   `The launch attribute "debugServer.connect" is missing. It must be where lldb-server listens, for example "connect://127.0.0.1:2159".`,
		`"debugServer": {"conect": "x"}`:                                      `The launch attribute "debugServer.conect" is not known. Did you mean "debugServer.connect"?`,
		`"debugServer": {"connect": "127.0.0.1:2159"}`:                        `The launch attribute "debugServer.connect" is "127.0.0.1:2159". It must be connect://HOST:PORT, for example "connect://127.0.0.1:2159".`,
		`"debugServer": {"connect": "connect://:2159"}`:                       `The launch attribute "debugServer.connect" is "connect://:2159". It must be connect://HOST:PORT, for example "connect://127.0.0.1:2159".`,
		`"debugServer": {"connect": "connect://node:0"}`:                      `The launch attribute "debugServer.connect" is "connect://node:0". It must be connect://HOST:PORT, for example "connect://127.0.0.1:2159".`,
		`"debugServer": {"connect": "connect://h:1"}, "lldbServer": "/s"`:     `The launch attribute "lldbServer" does not go with "debugServer.connect". Remove one of the two: the debug server that was started is the one to use.`,
		`"debugServer": {"connect": "connect://h:1"}, "atEnd": "keepStopped"`: `The launch attribute "atEnd" is "keepStopped", which does not go with "debugServer.connect". Only the end of that debug server would keep Envoy stopped, and it is not the session's to end. Choose another one.`,
	} {
		if _, _, err := Parse([]byte(`{"target": "local", ` + attributes + `}`)); err == nil || strings.ReplaceAll(err.Error(), "\n", " ") != want+" [ED1001]" {
			t.Errorf("%s:\n%v, want\n%s", attributes, err, want)
		}
	}
}
