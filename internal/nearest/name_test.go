package nearest

import "testing"

func TestASlipOfThePenIsRecognized(t *testing.T) {
	names := []string{"program", "envoyPath", "gate", "startTimeout", "agent", "pid"}
	for word, want := range map[string]string{
		"progam": "program", "Program": "program", "envoy-path": "envoyPath", "envoypath": "envoyPath", "ENVOY_PATH": "envoyPath",
		"gates": "gate", "agnet": "agent", "agents": "agent", "startTimout": "startTimeout", "pit": "pid",
		"program": "", "pi": "pid", "": "", "trace": "", "miDebuggerPath": "",
	} {
		if got, ok := Name(word, names); got != want || ok != (want != "") {
			t.Errorf("%q is taken for %q, want %q", word, got, want)
		}
	}
}
