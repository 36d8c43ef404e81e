package command

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/config"
)

// lookTime bounds the look at a target before a question about it.
const lookTime = 20 * time.Second

// askHold asks whoever is at the keyboard whether to hold a copy of the target, if it starts
// Envoy by itself, and returns a value for the launch attribute. What keeps it from looking
// at the target the session tells.
func askHold(ctx context.Context, c *config.Config, keyboard io.Reader, screen io.Writer) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	cluster, err := clusterOf(c)
	if err != nil {
		return config.HoldAsk, nil
	}
	_, source, err := unheld(ctx, cluster, c.Target, c.Container)
	if err != nil || source == nil {
		return config.HoldAsk, nil
	}
	why := "It starts once, and has started."
	if !source.Live {
		why = "There is no pod to debug."
	}
	fmt.Fprintf(screen, "  ✓ sidecar           %s\n  ? %s Debug a held copy of the pod? [Y/n]  (the workload is not touched) ", source, why)
	// A byte at a time: what comes after the answer is the session's.
	line, err := bufio.NewReaderSize(oneByte{keyboard}, 1).ReadString('\n')
	if answer := strings.ToLower(strings.TrimSpace(line)); err == nil && (answer == "" || answer == "y" || answer == "yes") {
		return config.HoldCopy, nil
	}
	fmt.Fprintln(screen, "  Nothing was held.")
	return "", exit(exitError)
}

// oneByte reads no more than is asked for.
type oneByte struct{ io.Reader }

// Read implements io.Reader.
func (r oneByte) Read(p []byte) (int, error) { return r.Reader.Read(p[:min(len(p), 1)]) }
