package clients

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-delve/delve/service/dap/daptest"
	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/test/support/harness"
	"github.com/envoydbg/envoydbg/test/support/pidns"
)

func TestMain(m *testing.M) { pidns.Main(m, harness.SetUp) }

// reading bounds the wait for each message.
const reading = 30 * time.Second

// delve is delve's client, and what it has read. It knows only the protocol's own
// events, and fails on any other.
type delve struct {
	*daptest.Client
	t    *testing.T
	conn net.Conn
	log  []string
}

// until reads up to the first message of a kind that matches.
func until[M dap.Message](d *delve, match func(M) bool) M {
	d.t.Helper()
	for {
		_ = d.conn.SetReadDeadline(time.Now().Add(reading))
		message, err := d.ReadMessage(d.t)
		if err != nil {
			d.t.Fatalf("waiting for a %T: %v", *new(M), err)
		}
		d.log = append(d.log, fmt.Sprintf("%T %+v", message, message))
		if refused, ok := message.(*dap.ErrorResponse); ok {
			d.t.Fatalf("waiting for a %T: %s was refused: %+v", *new(M), refused.Command, refused.Body.Error)
		}
		if m, ok := message.(M); ok && match(m) {
			return m
		}
	}
}

func next[M dap.Message](d *delve) M {
	d.t.Helper()
	return until(d, func(M) bool { return true })
}

func TestDelvesClientDebugsTheStartup(t *testing.T) {
	harness.Each(t, func(t *testing.T, s *harness.Story) {
		address, stop := s.Listen("127.0.0.1:0")
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		d := &delve{daptest.NewClientFromConn(conn), t, conn, nil}
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("delve's client has read:\n%s", strings.Join(d.log, "\n"))
			}
			d.Close()
			stop()
		})
		file, line := s.Line("source/exe/main_common.cc", "main_began = main_began + 1;")

		d.InitializeRequest()
		if !next[*dap.InitializeResponse](d).Body.SupportsConfigurationDoneRequest {
			t.Error("configurationDone is not supported")
		}
		d.AttachRequest(s.Sample())
		next[*dap.InitializedEvent](d)
		d.SetBreakpointsRequest(file, []int{line})
		set := next[*dap.SetBreakpointsResponse](d)
		if b := set.Body.Breakpoints; len(b) != 1 || !b[0].Verified || b[0].Line != line {
			t.Errorf("breakpoints: %+v", b)
		}
		d.ConfigurationDoneRequest()
		stopped := next[*dap.StoppedEvent](d)
		thread := stopped.Body.ThreadId
		if stopped.Body.Reason != "breakpoint" {
			t.Errorf("stopped for %q", stopped.Body.Reason)
		}

		d.StackTraceRequest(thread, 0, 20)
		frames := next[*dap.StackTraceResponse](d).Body.StackFrames
		if len(frames) < 2 || !strings.HasPrefix(frames[0].Name, "Envoy::MainCommon::main") || frames[0].Line != line || frames[0].Source.Path != file ||
			frames[1].Source.Path != filepath.Join(harness.The.Sources, "source/exe/main.cc") {
			t.Errorf("stack: %+v", frames)
		}
		d.ScopesRequest(frames[0].Id)
		scopes := next[*dap.ScopesResponse](d).Body.Scopes
		d.VariablesRequest(scopes[0].VariablesReference)
		found := false
		for _, v := range next[*dap.VariablesResponse](d).Body.Variables {
			found = found || v.Name == "argc"
		}
		if !found {
			t.Error("no variable argc")
		}
		d.NextRequest(thread)
		// lldb-dap answers once Envoy runs: the stop may come before the answer.
		answered, stoppedAgain := false, false
		until(d, func(m dap.Message) bool {
			switch m.(type) {
			case *dap.NextResponse:
				answered = true
			case *dap.StoppedEvent:
				stoppedAgain = true
			}
			return answered && stoppedAgain
		})
		d.EvaluateRequest("Envoy::main_began", frames[0].Id, "watch")
		if v := next[*dap.EvaluateResponse](d).Body.Result; v != "1" {
			t.Errorf("main_began is %q after the step", v)
		}
		d.ContinueRequest(thread)
		until(d, func(e *dap.OutputEvent) bool { return strings.Contains(e.Body.Output, "starting main dispatch loop") })
		d.DisconnectRequest()
		next[*dap.DisconnectResponse](d)
	})
}
