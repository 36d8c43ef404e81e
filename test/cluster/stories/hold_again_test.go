package stories_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/cluster"
)

// An editor's Restart ends the session and begins it again, and says so. The same copy is
// debugged then, and nothing is brought into it again.
func TestASessionThatBeginsAgainDebugsTheSameCopy(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	first := p.edit(namespace, "statefulset/fortio", map[string]any{"atEnd": "run"})
	copied := copies(c, namespace)
	first.leaves("disconnect", map[string]any{"restart": true, "terminateDebuggee": false})
	if got := copies(c, namespace); len(copied) != 1 || !slices.Equal(got, copied) {
		t.Fatalf("it was %q, and before the restart ends it is %q", copied, got)
	}
	second := p.edit(namespace, "statefulset/fortio", nil)
	if got := copies(c, namespace); !slices.Equal(got, copied) {
		t.Errorf("the second session has %q, the first had %q", got, copied)
	}
	if said := second.said(); !strings.Contains(said, "a copy that you hold already. It is removed at the session's end") || strings.Contains(said, "uploading") {
		t.Errorf("the second session said\n%s", said)
	}
	second.leaves("terminate", map[string]any{"restart": true})
	third := p.edit(namespace, "statefulset/fortio", nil)
	if got := copies(c, namespace); !slices.Equal(got, copied) {
		t.Errorf("the third session has %q, the first had %q", got, copied)
	}
	third.leaves("disconnect", map[string]any{"terminateDebuggee": true})
	unchanged(t, c, namespace, before)
}

// What begins again with a held workload gives it back at its end.
func TestASessionThatBeginsAgainGivesTheWorkloadBack(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	p := productOf(t, c, "22")
	hold := map[string]any{"hold": "workload"}
	p.edit(namespace, "statefulset/fortio", hold).leaves("disconnect", map[string]any{"restart": true})
	p.start("status").ends(0, "statefulset/fortio")
	p.edit(namespace, "statefulset/fortio", hold).leaves("disconnect", map[string]any{"terminateDebuggee": true})
	p.start("status").ends(0, "nothing is held")
}

// A copy that the user holds is debugged by the workload's name, and stays. Two sessions at
// once have one each.
func TestACopyThatIsHeldServesSessions(t *testing.T) {
	c := cluster.Of(t)
	namespace := unpreparedStatefulSet(c, nativeSidecar)
	before := contents(t, c, namespace)
	p := productOf(t, c, "22")
	name := p.hold(namespace, "statefulset/fortio")
	first := p.debug(namespace, "statefulset/fortio", "-x", "await what never comes")
	first.until("● stopped at main")
	p.debug(namespace, "statefulset/fortio", "-x", "quit").ends(0, "A held copy is debugged", "✓ attached", "nothing is left running")
	if err := first.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	first.ends(130, name+" is debugged, a copy that you hold already", "nothing is left running")
	if got := copies(c, namespace); !slices.Contains(got, name) {
		t.Errorf("left are %q, want %q", got, name)
	}
	p.start("release", "statefulset/fortio", "-n", namespace).ends(0, name+" released")
	unchanged(t, c, namespace, before)
}
