package pod

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/report"
)

var phaseRuns = flag.Int("phase-runs", 10, "sessions of each kind with each LLDB")

// kind is what is there already when a session begins.
type kind struct {
	name             string
	packed, uploaded bool // lldb-server is packed on this machine; it and the helper are in the pod
}

// sessionKinds, in an order in which each finds what the one before it has left.
var sessionKinds = []kind{
	{"nothing is there", false, false},
	{"packed here", true, false},
	{"all is there", true, true},
}

// own is how long the agent takes, without a debugger, from its start to Envoy's. In
// Envoy's place is a script that tells the time. Reading the clock starts a process
// here, too, so that this is rather too long than too short by some milliseconds.
const own = `cat > /var/lib/istio/data/tells <<'END'
#!/bin/sh
echo "envoy-began $(date +%s%N)"
END
chmod 700 /var/lib/istio/data/tells
export PROXY_CONFIG='{"binaryPath":"/var/lib/istio/data/tells"}'
began=$(date +%s%N)
echo "agent-began $began"
timeout 20 pilot-agent proxy sidecar --domain $POD_NAMESPACE.svc.cluster.local \
  --proxyLogLevel=warning --proxyComponentLogLevel=misc:error --log_output_level=default:info 2>&1
rm /var/lib/istio/data/tells`

// alone runs the agent once without a debugger.
func (l *lab) alone() (time.Duration, error) {
	out, err := l.inPod(own)
	if err != nil {
		return 0, err
	}
	var at [2]int64
	for i, name := range []string{"agent-began ", "envoy-began "} {
		_, rest, found := strings.Cut(out, name)
		number, _, _ := strings.Cut(rest, "\n")
		if at[i], err = strconv.ParseInt(number, 10, 64); !found || err != nil {
			return 0, fmt.Errorf("the agent has not started Envoy:\n%s", out)
		}
	}
	return time.Duration(at[1] - at[0]), nil
}

// times are those of one kind of session with one LLDB.
type times struct {
	phases map[string][]time.Duration
	toMain []time.Duration // from the start of `envoydbg dap`
}

func (l *lab) phasesOnce(lldb int, k kind, to *times) (names []string, err error) {
	if !k.uploaded {
		if err := l.clean(); err != nil {
			return nil, err
		}
	}
	cache := filepath.Join(l.dir, "cache")
	if !k.packed {
		if err := os.RemoveAll(cache); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	s, stop, err := l.open(ctx, lldb, map[string]any{"breakpointPresets": []string{"main"}}, "XDG_CACHE_HOME="+cache)
	if s == nil {
		return nil, err
	}
	defer func() { err = s.withLog(errors.Join(err, s.close())) }()
	if err != nil {
		return nil, err
	}
	to.toMain = append(to.toMain, stop.Time.Sub(s.began))
	names, took := s.phases()
	for _, name := range names {
		to.phases[name] = append(to.phases[name], took[name])
	}
	return names, nil
}

// A small part of BenchmarkPhases.
func TestThePhasesOfASessionAreMeasured(t *testing.T) {
	l := makeLab(t)
	if took, err := l.alone(); err != nil || took <= 0 {
		t.Errorf("the agent alone: %v, %v", took, err)
	}
	for _, k := range sessionKinds {
		all := &times{phases: map[string][]time.Duration{}}
		names, err := l.phasesOnce(versions[1], k, all)
		if err != nil {
			t.Fatalf("%s: %v", k.name, err)
		}
		if strings.Join(names, ", ") != "preflight, debug server, symbols, armed, agent started, attached, breakpoints" {
			t.Errorf("%s: the phases are %q", k.name, names)
		}
	}
	l.nothingRuns()
}

// BenchmarkPhases measures how long each phase of a session takes.
func BenchmarkPhases(b *testing.B) {
	l := makeLab(b)
	conditions, err := report.Conditions(l.servers()...)
	if err != nil {
		b.Fatal(err)
	}
	var alone []time.Duration
	var names []string
	measured := map[int][]*times{}
	for _, lldb := range versions {
		for range sessionKinds {
			measured[lldb] = append(measured[lldb], &times{phases: map[string][]time.Duration{}})
		}
	}
	for round := range *phaseRuns {
		took, err := l.alone()
		if err != nil {
			b.Fatal(err)
		}
		alone = append(alone, took)
		for _, lldb := range versions {
			for i, k := range sessionKinds {
				if names, err = l.phasesOnce(lldb, k, measured[lldb][i]); err != nil {
					b.Fatal(err)
				}
			}
		}
		fmt.Printf("round %d done\n", round+1)
	}
	l.nothingRuns()
	text := conditions + "\n\n" + phasesText(names, alone, measured)
	fmt.Println(text)
	for _, lldb := range versions {
		warm := report.Quantile(measured[lldb][len(sessionKinds)-1].toMain, 0.5)
		b.ReportMetric(float64((warm - report.Quantile(alone, 0.5)).Milliseconds()), fmt.Sprintf("over-the-agent-%d-ms", lldb))
	}
	if *podPage == "" {
		return
	}
	if err := report.Replace(checkout.Path(b, *podPage), "phases", text); err != nil {
		b.Fatal(err)
	}
}

func phasesText(names []string, alone []time.Duration, measured map[int][]*times) string {
	both := func(d []time.Duration) string {
		return fmt.Sprintf("%s / %s", ms(report.Quantile(d, 0.5)), ms(report.Quantile(d, 1)))
	}
	head := []string{"median / max"}
	var columns []*times
	for _, lldb := range versions {
		for i, k := range sessionKinds {
			head = append(head, fmt.Sprintf("LLDB %d: %s", lldb, k.name))
			columns = append(columns, measured[lldb][i])
		}
	}
	var rows [][]string
	line := func(name string, value func(*times) string) {
		row := []string{name}
		for _, c := range columns {
			row = append(row, value(c))
		}
		rows = append(rows, row)
	}
	for _, name := range names {
		line(name, func(t *times) string { return both(t.phases[name]) })
	}
	line("**from the start of envoydbg to the stop in main**", func(t *times) string { return both(t.toMain) })
	middle := report.Quantile(alone, 0.5)
	line("over the agent's own start, at the median", func(t *times) string { return ms(report.Quantile(t.toMain, 0.5) - middle) })
	return report.Table(1, head, rows) + fmt.Sprintf("\nThe agent alone, in the same container without a debugger, from its start to that of Envoy: %s. Runs of each kind: %d.\n",
		both(alone), len(alone))
}
