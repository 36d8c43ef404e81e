package command

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/kube"
	"github.com/envoydbg/envoydbg/kube/hold"
)

// What makes no sense is refused before the cluster is asked.
func TestHoldingTakesOneWayOnly(t *testing.T) {
	t.Setenv("KUBECONFIG", "/nonexistent")
	for line, want := range map[string]string{
		"hold sts/x --for 1s":                    "a minute or more",
		"hold sts/x --copy=false":                "--workload",
		"hold sts/x --copy --workload":           "--workload",
		"hold sts/x --workload --for 1h":         "leave out --workload",
		"hold sts/x --workload --same-node":      "leave out --workload",
		"release":                                "Give one of them",
		"release sts/x --all":                    "Give one of them",
		"status -o name":                         "table, json or yaml",
		"run sts/x --hold cpoy --program /bin/x": "Did you mean",
	} {
		root := newRoot(targetOf)
		root.SetArgs(strings.Fields(line))
		root.SetOut(&bytes.Buffer{})
		root.SetErr(&bytes.Buffer{})
		if err := root.Execute(); err == nil || !strings.Contains(err.Error(), want) || report("", err, &bytes.Buffer{}) != exitUsage && !strings.Contains(line, "run") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestWhatIsHeldIsListedForPeopleAndPrograms(t *testing.T) {
	since := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	all := heldObjects([]*kube.Held{
		{Kind: "pod", Namespace: "demo", Name: "fortio-0-hold-abcde", State: "held",
			Record: &hold.Record{Who: "ann@laptop", Target: "statefulset/fortio", Container: "istio-proxy", Since: since, Until: since.Add(time.Hour)}},
		{Kind: "deployment", Namespace: "demo", Name: "web", State: "held", Broken: bytes.ErrTooLarge},
	})
	var table bytes.Buffer
	if err := heldTable(&table, all); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"NAMESPACE", "pod/fortio-0-hold-abcde   statefulset/fortio   held    ann@laptop   " + when(since) + "   " + when(since.Add(time.Hour)), "deployment/web "} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	if all[1].Problem == "" || all[0].Container != "istio-proxy" {
		t.Errorf("%+v", all)
	}
	table.Reset()
	if err := heldTable(&table, heldObjects(nil)); err != nil || table.String() != "nothing is held\n" {
		t.Errorf("%v: %s", err, table.String())
	}
}

// Who names a pod, or wants what is for a copy alone, is not offered the workload.
func TestTheAnswerChoosesWhatIsHeld(t *testing.T) {
	for line, want := range map[string][2]string{
		"\n": {config.HoldCopy, config.HoldCopy}, "Y\n": {config.HoldCopy, config.HoldCopy}, "copy\n": {config.HoldCopy, config.HoldCopy},
		"w\n": {config.HoldWorkload, ""}, "n\n": {"", ""}, "what?\n": {"", ""},
	} {
		if got := [2]string{answer(line, true), answer(line, false)}; got != want {
			t.Errorf("%q chooses %q, not %q", line, got, want)
		}
	}
	if strings.Contains(question(false), "orkload:") || !strings.Contains(question(true), "[w]orkload") {
		t.Error(question(false), question(true))
	}
}

// Without a cluster nobody is asked anything: the session tells what is wrong.
func TestNobodyIsAskedAboutWhatCannotBeFound(t *testing.T) {
	var screen bytes.Buffer
	c := &config.Config{Target: "sts/x", Kubeconfig: "/nonexistent", Hold: config.HoldAsk}
	if wanted, err := askHold(t.Context(), c, strings.NewReader("n\n"), &screen); err != nil || wanted != config.HoldAsk || screen.Len() > 0 {
		t.Errorf("%s, %v: %s", wanted, err, screen.String())
	}
}
