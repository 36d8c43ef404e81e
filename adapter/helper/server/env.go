//go:build linux

package server

import (
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sourcegraph/jsonrpc2"
	"sigs.k8s.io/yaml"

	"github.com/envoydbg/envoydbg/adapter/helper/gate"
)

func itoa(n int) string { return strconv.Itoa(n) }

func nativeUint32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }

// mergeEnv sets the variables of add in env, in place where they are set
// already.
func mergeEnv(env []string, add map[string]string) []string {
	out := slices.Clone(env)
	for _, k := range slices.Sorted(maps.Keys(add)) {
		kv := k + "=" + add[k]
		if i := slices.IndexFunc(out, func(s string) bool { return strings.HasPrefix(s, k+"=") }); i >= 0 {
			out[i] = kv
		} else {
			out = append(out, kv)
		}
	}
	return out
}

func lookupEnv(env []string, key string) (string, bool) {
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, key+"="); ok {
			return v, true
		}
	}
	return "", false
}

func getEnv(env []string, key string) string { v, _ := lookupEnv(env, key); return v }

// withBinaryPath returns PROXY_CONFIG, YAML or JSON as pilot-agent takes it,
// with binaryPath replaced, as JSON. All other fields keep their text.
func withBinaryPath(config, path string) (string, error) {
	fields := map[string]json.RawMessage{}
	if strings.TrimSpace(config) != "" {
		b, err := yaml.YAMLToJSONStrict([]byte(config))
		if err == nil {
			err = json.Unmarshal(b, &fields)
		}
		if err != nil {
			return "", fail(jsonrpc2.CodeInvalidParams, "%s is set to something that is no YAML or JSON mapping, so the gate cannot be added to it: %v (value: %q)",
				gate.ProxyConfigEnv, err, config)
		}
		if fields == nil { // "null"
			fields = map[string]json.RawMessage{}
		}
	}
	p, err := json.Marshal(path)
	if err != nil {
		return "", err
	}
	delete(fields, "binary_path") // the field's other name in protobuf's JSON
	fields["binaryPath"] = p
	b, err := json.Marshal(fields)
	return string(b), err
}
