package clients

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/harness"
)

// emacsEnds bounds the whole session; dap-mode itself waits for ever.
const emacsEnds = 60 * time.Second

func TestEmacsDebugsTheStartup(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		file, line := s.Line("source/exe/main_common.cc", "main_began = main_began + 1;")
		configuration := s.Sample()
		configuration["name"] = "startup"
		configuration["type"] = "envoy"
		configuration["request"] = "launch"
		configuration["dap-server-path"] = []string{harness.The.Envoydbg, "dap", "--lldb-dap", s.LLDB.DAP}
		asJSON, err := json.Marshal(configuration)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(s.Ctx, emacsEnds)
		defer cancel()
		emacs := exec.CommandContext(ctx, "emacs", "--batch", "-l", "emacs/startup.el", string(asJSON), file, fmt.Sprint(line))
		emacs.Env = append(s.Env(), "HOME="+t.TempDir())
		var shown, messages strings.Builder
		emacs.Stdout, emacs.Stderr = &shown, &messages
		if err := emacs.Run(); err != nil {
			t.Fatalf("Emacs: %v\nit has shown:\n%s%s", err, &shown, &messages)
		}
		stops := strings.Split(strings.TrimSpace(shown.String()), "\n")
		function := " in Envoy::MainCommon::main("
		if len(stops) != 2 || !strings.HasPrefix(stops[0], fmt.Sprintf("stopped at %s:%d%s", file, line, function)) ||
			!strings.HasPrefix(stops[1], fmt.Sprintf("stopped at %s:%d%s", file, line+1, function)) {
			t.Errorf("Emacs has shown:\n%s%s", &shown, &messages)
		}
		s.NoProcessLeft()
		// dap-mode kills the adapter as soon as the session has ended. The folder of an
		// adapter that was killed is removed by the next session.
		next := s.Start()
		next.Initialize()
		next.Disconnect()
	})
}
