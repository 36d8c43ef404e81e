package command

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/kube"
)

// lookTime bounds the look at a target before a question about it.
const lookTime = 20 * time.Second

// askHold asks whoever is at the keyboard what to hold of the target, if it starts Envoy by
// itself, and returns a value for the launch attribute. Nothing is asked where the user holds
// a copy already that the session can take. What keeps it from looking at the target the
// session tells.
func askHold(ctx context.Context, c *config.Config, keyboard io.Reader, screen io.Writer) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	cluster, err := clusterOf(c)
	if err != nil {
		return config.HoldAsk, nil
	}
	_, source, err := unheld(ctx, cluster, c.Target, c.Container)
	if err != nil || source == nil || len(copiesFor(ctx, cluster, c, source)) > 0 {
		return config.HoldAsk, nil
	}
	why := "It starts once, and has started."
	if !source.Live {
		why = "There is no pod to debug."
	}
	// What is for a copy alone is no choice for a workload.
	whole := kube.MakesAnew(c.Target) && c.Application == config.ApplicationRun && c.Capture == config.CaptureAll
	fmt.Fprintf(screen, "  ✓ sidecar           %s\n  ? %s %s ", source, why, question(whole))
	// A byte at a time: what comes after the answer is the session's.
	line, err := bufio.NewReaderSize(oneByte{keyboard}, 1).ReadString('\n')
	if wanted := answer(line, whole); err == nil && wanted != "" {
		return wanted, nil
	}
	fmt.Fprintln(screen, "  Nothing was held.")
	return "", exit(exitError)
}

// question asks for a copy, and where the whole workload can be held, for which of the two.
func question(whole bool) string {
	if whole {
		return "Debug a held copy of the pod, or hold the workload?\n    [C]opy: the workload is not touched   [w]orkload: its pods are made anew   [n]o"
	}
	return "Debug a held copy of the pod? [Y/n]  (the workload is not touched)"
}

// answer is what a line chooses, as a value of the launch attribute; "" for nothing.
func answer(line string, whole bool) string {
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "", "y", "yes", "c", "copy":
		return config.HoldCopy
	case "w", "workload":
		if whole {
			return config.HoldWorkload
		}
	}
	return ""
}

// oneByte reads no more than is asked for.
type oneByte struct{ io.Reader }

// Read implements io.Reader.
func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1)]) }
