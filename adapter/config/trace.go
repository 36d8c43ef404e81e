package config

import (
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"
)

// Trace is the launch attribute of that name: TraceDefault, a path, or empty.
type Trace string

// TraceDefault is a file at a place of the adapter's choice; it is true in JSON.
const TraceDefault Trace = "true"

// UnmarshalJSON reads true, false or a path.
func (t *Trace) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "true":
		*t = TraceDefault
	case "false", "null":
		*t = ""
	default:
		return json.Unmarshal(text, (*string)(t))
	}
	return nil
}

// TraceOf is the attribute in the arguments of a session of any kind; empty where it is not
// valid.
func TraceOf(arguments []byte) (t Trace) {
	if v := gjson.GetBytes(arguments, "trace"); v.Exists() {
		_ = t.UnmarshalJSON([]byte(v.Raw))
	}
	return t
}

// secretFlags are flags of kubectl's whose values are secrets.
var secretFlags = []string{"--token=", "--password="}

// Secrets are values of the arguments that must be in no trace: of the agent's environment,
// of a program's, and of kubectl's flags. Those of an envFile are not among them.
func Secrets(arguments []byte) (values []string) {
	for _, name := range []string{"agent.env", "env"} {
		gjson.GetBytes(arguments, name).ForEach(func(key, v gjson.Result) bool {
			value := v.String()
			if key.Type != gjson.String { // a list of NAME=VALUE
				_, value, _ = strings.Cut(value, "=")
			}
			values = append(values, value)
			return true
		})
	}
	for _, flag := range gjson.GetBytes(arguments, "kubectlFlags").Array() {
		for _, secret := range secretFlags {
			if value, ok := strings.CutPrefix(flag.Str, secret); ok {
				values = append(values, value)
			}
		}
	}
	return values
}

// RestartedOf is how often in a row a session has begun again: an editor brings back what it
// was told in the event terminated.
func RestartedOf(arguments []byte) int {
	return max(0, int(gjson.GetBytes(arguments, "__restart.count").Int()))
}
