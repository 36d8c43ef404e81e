package wire

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A request that the relay has answered itself does not count as one to the debug
// server: the next one follows without an answer.
func TestTheRequestsInATraceAreCounted(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	text := `02:20:04      1.000 ms  client →           {"command":"next"}
02:20:04      2.000 ms  gdb g1 →           "$qMemoryRegionInfo:1000#00"
02:20:04      3.000 ms  gdb g1 ←           "$start:1000;size:100;permissions:rx;#00"
02:20:04      4.000 ms  gdb g1 →           "$qMemoryRegionInfo:1010#00"
02:20:04      5.000 ms  gdb g1 →           "$x7ffe,200#00"
02:20:04      5.500 ms  gdb platform →     "$qModuleInfo:00;00#00"
02:20:04      6.000 ms  gdb g1 ←           "$\x00\"\\#00"
02:20:04      6.500 ms  gdb platform ←     "$#00"
02:20:04      6.700 ms  gdb g1 →           "$Z0,4000,1#00"
02:20:04      7.000 ms  gdb g1 →           "$vCont;c:p1.-1#00"
02:20:04      7.900 ms  gdb g1 ←           "%Pair:4,x0,0OK#c4"
02:20:04      8.000 ms  gdb g1 ←           "$T05thread:1;#00"
02:20:04      9.000 ms  client ←           {"event":"stopped"}
02:20:04     10.000 ms  gdb g1 →           "$Z0,1000,1#00"
02:20:04     11.000 ms  gdb g1 ←           "$OK#00"
`
	if err := os.WriteFile(trace, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := Read(trace)
	if err != nil {
		t.Fatal(err)
	}
	from, ok := w.First(0, true, `"next"`)
	to, ok2 := w.First(from, false, `"stopped"`)
	if !ok || !ok2 || from != time.Millisecond || to != 9*time.Millisecond {
		t.Errorf("from %v, to %v", from, to)
	}
	const want = "1 qMemoryRegionInfo, 1 qModuleInfo, 1 vCont;c, 1 x"
	if got := ByCount(w.During(from, to)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if all := w.During(0, time.Hour); Total(all) != 5 || all["Z0"] != 1 {
		t.Errorf("%v", all)
	}
}
