package adapter

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// Each client is told of a fault where its user sees it once: in the output, or by the
// parts of the fault.
func TestFaultsAreToldOnceToEachKindOfClient(t *testing.T) {
	for _, showsFaults := range []bool{false, true} {
		s := newStage(t)
		s.router.client.showsFaults.Store(showsFaults)
		s.router.client.fault(fault.SourceChanged("/src/server.cc"))
		s.router.client.fault(fault.HelperDied("EOF"))
		s.flush()
		category, wanted := important, []string{"event output", "event output"}
		if showsFaults {
			category, wanted = console, []string{"event output", "event envoyFault", "event output", "event envoyFault"}
		}
		if !slices.Equal(s.sent, wanted) {
			t.Fatalf("shows faults %v: %v", showsFaults, s.sent)
		}
		if got := s.raw[0].Get("body.category").Str; got != category {
			t.Errorf("shows faults %v: the output has the category %q", showsFaults, got)
		}
		if !showsFaults {
			continue
		}
		for i, want := range map[int]string{1: "warning", 3: "error"} {
			if body := s.raw[i].Get("body"); body.Get("severity").Str != want || body.Get("id").Str == "" || body.Get("page").Str == "" {
				t.Errorf("want a %s: %s", want, body.Raw)
			}
		}
	}
}

// A refused request has the parts for buttons; whoever shows the refusal of a session
// itself keeps VS Code from showing it, too.
func TestARefusalHasItsParts(t *testing.T) {
	for _, showsFaults := range []bool{false, true} {
		s := newStage(t)
		s.router.client.showsFaults.Store(showsFaults)
		for _, command := range []string{"launch", "evaluate"} {
			s.seq++
			m := s.message(`{"seq":1,"type":"request","command":"` + command + `"}`)
			s.router.client.refuse(m, fault.BadProgram("/none", fs.ErrNotExist), false)
			s.flush()
			last := len(s.raw) - 1
			e := s.raw[last].Get("body.error")
			if shown := last > 0 && strings.Contains(s.raw[last-1].Get("body.output").Str, "[ED1107]"); shown != (showsFaults && command == "launch") {
				t.Errorf("shows faults %v: %s in the console: %v", showsFaults, command, shown)
			}
			if want := !showsFaults || command != "launch"; e.Get("showUser").Bool() != want {
				t.Errorf("shows faults %v: %s is refused with %s", showsFaults, command, e.Raw)
			}
			if e.Get("id").Int() != 1107 || e.Get("envoy.id").Str != "ED1107" || e.Get("envoy.attribute").Str != "program" || e.Get("format").Str == "" {
				t.Errorf("%s", e.Raw)
			}
		}
	}
}
