package command

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/traffic"
)

// requestReport collects and prints what has become of requests.
type requestReport struct {
	out, err io.Writer
	print    func(io.Writer, responses) error
	pod      traffic.Pod
	of       int
	results  []traffic.Result
}

// responses is what request prints.
type responses struct {
	From      string     `json:"from"`
	Responses []response `json:"responses"`
}

// response is one of them; Body is text, or else Data has it in base64.
type response struct {
	traffic.Result
	Body  string `json:"body,omitempty"`
	Data  []byte `json:"data,omitempty"`
	Error string `json:"error,omitempty"`
}

func (r *requestReport) add(result traffic.Result) { r.results = append(r.results, result) }

// end prints all; why may have kept connections from Envoy.
func (r *requestReport) end(why []string) error {
	all := responses{From: r.pod.Name, Responses: []response{}}
	var failed []error
	past, came := 0, 0
	for _, result := range r.results {
		one := response{Result: result}
		if result.Err != nil {
			one.Error = result.Err.Error()
			failed = append(failed, result.Err)
		} else {
			came++
			if !result.Path.Envoy {
				past++
			}
		}
		if one.Body = string(result.Body); !utf8.Valid(result.Body) {
			one.Body, one.Data = "", result.Body
		}
		all.Responses = append(all.Responses, one)
	}
	if err := r.print(r.out, all); err != nil {
		return fault.OutputLost(err)
	}
	switch {
	case len(failed) > 0 && r.of == 1:
		return failed[0]
	case len(failed) > 0:
		return fault.SomeRequests(len(failed), r.of, distinct(failed))
	case past > 0:
		words := map[string]bool{}
		for _, result := range r.results {
			if !result.Path.Envoy && r.of == 1 {
				words[result.Path.Words(r.pod)] = true
			}
		}
		return fault.PastEnvoy(past, r.of, append(slices.Sorted(maps.Keys(words)), why...))
	}
	return nil
}

// distinct are the texts of faults, without their numbers, each once with how often.
func distinct(all []error) (texts []string) {
	n := map[string]int{}
	for _, err := range all {
		var f *fault.Fault
		text := err.Error()
		if errors.As(err, &f) {
			text = strings.Join(append([]string{f.What}, f.Evidence[:min(1, len(f.Evidence))]...), " ") + " [" + f.ID() + "]"
		}
		n[text]++
	}
	for _, text := range slices.Sorted(maps.Keys(n)) {
		texts = append(texts, fmt.Sprintf("%d × %s", n[text], text))
	}
	return texts
}

// table prints the response as it came and how it came, or of several their numbers.
func (r *requestReport) table(w io.Writer, all responses) error {
	if r.of > 1 {
		return r.summary(w)
	}
	for _, result := range r.results {
		if result.Status == "" {
			continue
		}
		fmt.Fprintf(w, "%s %s\n", result.Proto, result.Status)
		for _, name := range slices.Sorted(maps.Keys(result.Header)) {
			for _, value := range result.Header[name] {
				fmt.Fprintf(w, "%s: %s\n", strings.ToLower(name), value)
			}
		}
		fmt.Fprintln(w)
		if _, err := w.Write(result.Body); err != nil {
			return err
		}
		if n := len(result.Body); n > 0 && result.Body[n-1] != '\n' {
			fmt.Fprintln(r.err)
		}
		if result.Path.Envoy {
			fmt.Fprintf(r.err, "✓ Envoy has handled it: %s. %s\n", result.Path.Words(r.pod), took(result.Took))
		}
	}
	return nil
}

// summary prints numbers and times.
func (r *requestReport) summary(w io.Writer) error {
	status := map[string]int{}
	envoy := 0
	var times []time.Duration
	for _, result := range r.results {
		if result.Err != nil {
			status["no response"]++
			continue
		}
		status[result.Status]++
		times = append(times, result.Took)
		if result.Path.Envoy {
			envoy++
		}
	}
	fmt.Fprintf(w, "%d requests\n", len(r.results))
	for _, s := range slices.Sorted(maps.Keys(status)) {
		fmt.Fprintf(w, "  %d × %s\n", status[s], s)
	}
	if len(times) > 0 {
		slices.Sort(times)
		at := func(p int) string { return took(times[(len(times)-1)*p/100]) }
		fmt.Fprintf(w, "Envoy has handled %d of %d responses.\n", envoy, len(times))
		fmt.Fprintf(w, "Time, the way to the cluster included: min %s, median %s, 99 %% %s, max %s\n", at(0), at(50), at(99), at(100))
	}
	return nil
}

// took is a time for people.
func took(d time.Duration) string {
	if d < time.Second {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}
