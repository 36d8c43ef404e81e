//go:build linux

package server

import (
	"slices"
	"testing"
)

func TestAContainersCommandIsExpandedAsKubernetesDoes(t *testing.T) {
	got := expand([]string{"proxy", "--domain", "$(NAMESPACE).svc.$(CLUSTER)", "$(NOTHING)", "$$(NAMESPACE)", "$NAMESPACE", "$(", "a$(EMPTY)b"},
		[]string{"NAMESPACE=demo", "CLUSTER=cluster.local", "EMPTY="})
	want := []string{"proxy", "--domain", "demo.svc.cluster.local", "$(NOTHING)", "$(NAMESPACE)", "$NAMESPACE", "$(", "ab"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
