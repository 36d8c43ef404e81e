package pod

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/adapter/client"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/test/support/checkout"
	"github.com/envoydbg/envoydbg/test/support/report"
)

var (
	raceRuns = flag.Int("race-runs", 100, "starts with each agent and LLDB")
	raceFile = flag.String("race-file", "", "keep each start's result in this file, and go on after those that it has")
	racePage = flag.String("race-page", "docs/race.md", "the page to write, from the checkout's folder; empty for none")
)

// agents start Envoy: the real one, and one that becomes Envoy at once. The longer the
// agent takes, the easier it is to be in time.
var agents = []struct {
	name    string
	command []string
}{
	{"pilot-agent", nil},
	{"at once", []string{"/bin/sh", "-c", `p=${PROXY_CONFIG#*\"binaryPath\":\"}; exec "${p%%\"*}"`}},
}

// start is what one start showed.
type start struct {
	LLDB   int
	Agent  string
	Missed bool
	First  bool          // at the first instruction
	ToStop time.Duration // from the agent's start to the stop at the client
	Load   string        // average of the last minute
}

// neverCame are the faults with which a session reports that it missed Envoy.
var neverCame = []int{fault.TargetNeverAppeared("", 0).Code, fault.GateTimeout(0, "").Code}

func (l *lab) raceOnce(lldb int, agent string, command []string) (out start, err error) {
	out = start{LLDB: lldb, Agent: agent, Load: report.Load()}
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	attributes := map[string]any{"stopOnEntry": true}
	if command != nil {
		attributes["agent"] = map[string]any{"command": command}
	}
	s, stop, err := l.open(ctx, lldb, attributes)
	if s == nil {
		return out, err
	}
	defer func() { err = s.withLog(errors.Join(err, s.close())) }()
	if err != nil {
		out.Missed = stop.Message != nil && slices.Contains(neverCame, int(stop.Get("body.error.id").Int()))
		if out.Missed {
			err = nil
		}
		return out, err
	}
	began, ok := s.at(func(e client.Entry) bool {
		return e.Name == "envoyPhase" && e.Get("body.phase").String() == "agent started" && e.Get("body.state").String() == "begin"
	})
	if !ok {
		return out, errors.New("no agent was started")
	}
	out.ToStop = stop.Time.Sub(began)
	stands, err := l.look()
	out.First = stands.first
	return out, err
}

// A small part of BenchmarkRace.
func TestTheGateMissesNoInstructionInAPod(t *testing.T) {
	l := makeLab(t)
	for _, lldb := range versions {
		for _, agent := range agents {
			for range 2 {
				out, err := l.raceOnce(lldb, agent.name, agent.command)
				if err != nil {
					t.Fatal(err)
				}
				if out.Missed || !out.First {
					t.Errorf("LLDB %d, agent %s: missed %v, at the first instruction %v", lldb, agent.name, out.Missed, out.First)
				}
			}
		}
	}
	l.nothingRuns()
}

// BenchmarkRace starts Envoy many times, each time with a session of its own.
func BenchmarkRace(b *testing.B) {
	l := makeLab(b)
	conditions, err := report.Conditions(l.servers()...)
	if err != nil {
		b.Fatal(err)
	}
	starts, err := readStarts(*raceFile)
	if err != nil {
		b.Fatal(err)
	}
	var failures []string
	for round := range *raceRuns {
		for _, agent := range agents {
			for _, lldb := range versions {
				if count(starts, lldb, agent.name) > round {
					continue
				}
				out, err := l.raceOnce(lldb, agent.name, agent.command)
				if err != nil {
					failures = append(failures, fmt.Sprintf("LLDB %d, agent %s", lldb, agent.name))
					fmt.Printf("LLDB %d, agent %s, round %d: %v\n", lldb, agent.name, round+1, err)
					b.Fail()
					continue
				}
				starts = append(starts, out)
				if err := keep(*raceFile, out); err != nil {
					b.Fatal(err)
				}
			}
		}
		fmt.Printf("round %d done, %d failures\n", round+1, len(failures))
	}
	l.nothingRuns()
	text := conditions + "\n\n" + raceText(starts, failures)
	fmt.Println(text)
	b.ReportMetric(float64(len(starts)), "starts")
	b.ReportMetric(float64(len(which(starts, func(s start) bool { return s.Missed }))), "missed")
	b.ReportMetric(float64(len(which(starts, func(s start) bool { return s.First }))), "first")
	if *racePage == "" {
		return
	}
	if err := report.Replace(checkout.Path(b, *racePage), "race-pod", text); err != nil {
		b.Fatal(err)
	}
}

func raceText(starts []start, failures []string) string {
	var rows [][]string
	for _, lldb := range versions {
		for _, agent := range agents {
			of := which(starts, func(s start) bool { return s.LLDB == lldb && s.Agent == agent.name })
			var times []time.Duration
			missed, first := 0, 0
			for _, s := range of {
				if s.Missed {
					missed++
					continue
				}
				times = append(times, s.ToStop)
				if s.First {
					first++
				}
			}
			rows = append(rows, []string{fmt.Sprint(lldb), agent.name, fmt.Sprint(len(of)), fmt.Sprint(missed), fmt.Sprint(first),
				ms(report.Quantile(times, 0.5)), ms(report.Quantile(times, 0.95)), ms(report.Quantile(times, 1))})
		}
	}
	var loads []string
	for _, s := range starts {
		loads = append(loads, s.Load)
	}
	slices.SortFunc(loads, func(a, b string) int { return int(100 * (number(a) - number(b))) })
	text := report.Table(2, []string{"LLDB", "agent", "starts", "missed", "at the first instruction", "agent's start to stop p50", "p95", "max"}, rows)
	if len(loads) > 0 {
		text += fmt.Sprintf("\nThe load average was between %s and %s, %s in half of the starts or less.", loads[0], loads[len(loads)-1], loads[len(loads)/2])
	}
	text += fmt.Sprintf("\nStarts that came to no result, for any other reason: %d.", len(failures))
	for _, f := range failures {
		text += "\n- " + f
	}
	return text + "\n"
}

func which(starts []start, match func(start) bool) (out []start) {
	for _, s := range starts {
		if match(s) {
			out = append(out, s)
		}
	}
	return out
}

func count(starts []start, lldb int, agent string) int {
	return len(which(starts, func(s start) bool { return s.LLDB == lldb && s.Agent == agent }))
}

// readStarts reads what keep has written; an empty path has none.
func readStarts(path string) ([]start, error) {
	text, err := os.ReadFile(path)
	if path == "" || errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var starts []start
	for line := range strings.Lines(string(text)) {
		var s start
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			return nil, err
		}
		starts = append(starts, s)
	}
	return starts, nil
}

func keep(path string, s start) error {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(f).Encode(s), f.Close())
}
