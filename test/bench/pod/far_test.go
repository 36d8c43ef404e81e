package pod

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/relay"
	"github.com/envoydbg/envoydbg/test/support/report"
	"github.com/envoydbg/envoydbg/test/support/wire"
)

var (
	farRuns  = flag.Int("far-runs", 3, "sessions with each LLDB at each distance")
	farSteps = flag.Int("far-steps", 4, "steps in each of them, in main")
	podPage  = flag.String("pod-page", "docs/cluster-cost.md", "the page to write, from the checkout's folder; empty for none")
)

// delays of each direction: here, and far away.
var delays = []time.Duration{0, 25 * time.Millisecond}

// through makes all sessions reach the API server through a relay of their own.
func (l *lab) through(delay time.Duration) *relay.Relay {
	l.tb.Helper()
	text, err := os.ReadFile(l.c.Kubeconfig())
	if err != nil {
		l.tb.Fatal(err)
	}
	var config map[string]any
	if err := yaml.Unmarshal(text, &config); err != nil {
		l.tb.Fatal(err)
	}
	only := config["clusters"].([]any)[0].(map[string]any)["cluster"].(map[string]any)
	server, err := url.Parse(only["server"].(string))
	if err != nil {
		l.tb.Fatal(err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		l.tb.Fatal(err)
	}
	r := relay.StartFar(listener, func() (net.Conn, error) { return net.Dial("tcp", server.Host) }, delay)
	l.tb.Cleanup(r.Close)
	only["server"] = "https://" + listener.Addr().String()
	if text, err = yaml.Marshal(config); err != nil {
		l.tb.Fatal(err)
	}
	l.kubeconfig = filepath.Join(l.dir, "kubeconfig-"+delay.String()) // no colon, which would make it two
	if err := os.WriteFile(l.kubeconfig, text, 0o600); err != nil {
		l.tb.Fatal(err)
	}
	return r
}

// part is a part of a session as the user sees it.
type part struct {
	name     string
	took     []time.Duration
	requests []map[string]int // to the debug server, of each time
}

// The parts that are measured.
const (
	toMain = iota
	aStep
	theStop
	parts
)

func newParts() (p [parts]part) {
	for i, name := range []string{"F5 to main", "`next`, to its stop", "what an editor asks at the stop"} {
		p[i].name = name
	}
	return p
}

// far adds one session: to main, and some steps there.
func (l *lab) far(lldb, steps int, to *[parts]part) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	s, stop, err := l.open(ctx, lldb, map[string]any{"breakpointPresets": []string{"main"}})
	if s == nil {
		return err
	}
	defer func() { err = s.withLog(errors.Join(err, s.close())) }()
	if err != nil {
		return err
	}
	to[toMain].took = append(to[toMain].took, stop.Time.Sub(s.began))
	if err := s.ask(ctx); err != nil { // what is asked for the first time is more
		return err
	}
	type times struct{ begin, stop, end time.Time }
	var all []times
	for range steps {
		var t times
		t.begin = time.Now()
		if _, err := s.Send("next", map[string]any{"threadId": s.thread}); err != nil {
			return err
		}
		if stop, err = s.Event(ctx, stop.Index+1, "stopped"); err != nil {
			return err
		}
		t.stop = stop.Time
		if err := s.ask(ctx); err != nil {
			return err
		}
		t.end = time.Now()
		all = append(all, t)
	}
	w, err := wire.Read(s.trace)
	if err != nil {
		return err
	}
	// The trace's clock, from what both have seen.
	first, ok := w.First(0, false, `"event":"stopped"`)
	attach, ok2 := w.First(0, true, `"command":"attach"`)
	if !ok || !ok2 {
		return errors.New("the trace has no stop")
	}
	to[toMain].requests = append(to[toMain].requests, w.During(attach, first))
	at := first
	for _, t := range all {
		next, ok := w.First(at, true, `"command":"next"`)
		stopped, ok2 := w.First(next, false, `"event":"stopped"`)
		last, ok3 := w.First(stopped, false, `"command":"variables"`)
		if !ok || !ok2 || !ok3 {
			return errors.New("the trace has not every step")
		}
		to[aStep].took = append(to[aStep].took, t.stop.Sub(t.begin))
		to[aStep].requests = append(to[aStep].requests, w.During(next, stopped))
		to[theStop].took = append(to[theStop].took, t.end.Sub(t.stop))
		to[theStop].requests = append(to[theStop].requests, w.During(stopped, last))
		at = last
	}
	return nil
}

// ask asks what an editor does at a stop, each when the one before is answered.
func (s *session) ask(ctx context.Context) error {
	if err := s.Call(ctx, "threads", nil, nil); err != nil {
		return err
	}
	var stack struct {
		StackFrames []struct {
			ID int `json:"id"`
		} `json:"stackFrames"`
	}
	if err := s.Call(ctx, "stackTrace", map[string]any{"threadId": s.thread, "startFrame": 0, "levels": 20}, &stack); err != nil {
		return err
	}
	if len(stack.StackFrames) == 0 {
		return errors.New("no stack")
	}
	var scopes struct {
		Scopes []struct {
			VariablesReference int `json:"variablesReference"`
		} `json:"scopes"`
	}
	if err := s.Call(ctx, "scopes", map[string]any{"frameId": stack.StackFrames[0].ID}, &scopes); err != nil {
		return err
	}
	if len(scopes.Scopes) == 0 {
		return errors.New("no scopes")
	}
	return s.Call(ctx, "variables", map[string]any{"variablesReference": scopes.Scopes[0].VariablesReference}, nil)
}

// A small part of BenchmarkFar: sessions at both distances can be measured, and a step is
// two round trips at most.
func TestASessionFarAwayIsMeasured(t *testing.T) {
	l := makeLab(t)
	for _, delay := range delays {
		l.through(delay)
		for _, lldb := range versions {
			all := newParts()
			if err := l.far(lldb, 1, &all); err != nil {
				t.Fatal(err)
			}
			for i, p := range all {
				// At the stop LLDB 22 may know all that an editor asks.
				if len(p.took) != 1 || len(p.requests) != 1 || i != theStop && wire.Total(p.requests[0]) == 0 {
					t.Errorf("LLDB %d, %v, %s: %+v", lldb, delay, p.name, p)
				}
			}
			if n := wire.Total(all[aStep].requests[0]); n > 2 {
				t.Errorf("LLDB %d, %v: a step took %d round trips: %s", lldb, delay, n, wire.ByCount(all[aStep].requests[0]))
			}
			if delay > 0 && all[aStep].took[0] < 2*delay {
				t.Errorf("LLDB %d: a step took %v, which is less than one round trip", lldb, all[aStep].took[0])
			}
		}
	}
	l.nothingRuns()
}

// BenchmarkFar measures sessions with a distance to the API server.
func BenchmarkFar(b *testing.B) {
	l := makeLab(b)
	conditions, err := report.Conditions(l.servers()...)
	if err != nil {
		b.Fatal(err)
	}
	measured := map[int]map[time.Duration]*[parts]part{}
	for _, lldb := range versions {
		l.kubeconfig = l.c.Kubeconfig()
		var none [parts]part
		if err := l.far(lldb, 1, &none); err != nil { // places what is needed
			b.Fatal(err)
		}
		measured[lldb] = map[time.Duration]*[parts]part{}
		for _, delay := range delays {
			all := newParts()
			measured[lldb][delay] = &all
		}
	}
	for range *farRuns {
		for _, delay := range delays {
			l.through(delay)
			for _, lldb := range versions {
				if err := l.far(lldb, *farSteps, measured[lldb][delay]); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	l.nothingRuns()
	text := conditions + "\n\n" + farText(measured)
	fmt.Println(text)
	for _, lldb := range versions {
		step := measured[lldb][delays[1]][aStep]
		b.ReportMetric(float64(report.Quantile(step.took, 0.5).Milliseconds()), fmt.Sprintf("step-%d-ms", lldb))
	}
	if *podPage == "" {
		return
	}
	if err := report.Replace(checkout.Path(b, *podPage), "far", text); err != nil {
		b.Fatal(err)
	}
}

func farText(measured map[int]map[time.Duration]*[parts]part) string {
	var rows, packets [][]string
	for i := range parts {
		for _, lldb := range versions {
			near, far := &measured[lldb][delays[0]][i], &measured[lldb][delays[1]][i]
			here, there := report.Quantile(near.took, 0.5), report.Quantile(far.took, 0.5)
			median := middle(far.requests)
			rows = append(rows, []string{near.name, fmt.Sprint(lldb), ms(here), ms(there), ms(report.Quantile(far.took, 1)),
				fmt.Sprintf("%.1f", float64(there-here)/float64(2*delays[1])), fmt.Sprint(wire.Total(median))})
			packets = append(packets, []string{near.name, fmt.Sprint(lldb), wire.ByCount(median)})
		}
	}
	rtt := ms(2 * delays[1])
	return report.Table(1, []string{"", "LLDB", "near, p50", "at " + rtt + ", p50", "max", "added, in round trips", "packets to the debug server"}, rows) +
		"\nThe packets, in the run with the median number of them:\n\n" +
		report.Table(9, []string{"", "LLDB", "packets"}, packets)
}

// middle is the one with the median number of packets.
func middle(all []map[string]int) map[string]int {
	var sizes []time.Duration
	for _, n := range all {
		sizes = append(sizes, time.Duration(wire.Total(n)))
	}
	want := report.Quantile(sizes, 0.5)
	for _, n := range all {
		if time.Duration(wire.Total(n)) == want {
			return n
		}
	}
	return nil
}
