package adapter

import (
	"encoding/json"
	"sync/atomic"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/dialect"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// client is the way to the client: numbering, order, and its dialect. Nothing here
// blocks.
type client struct {
	out     *dapio.Writer
	dialect atomic.Pointer[dialect.Dialect]
	// showsFaults: the client shows faults by their parts (FaultEvent).
	showsFaults atomic.Bool
}

func newClient(out *dapio.Writer) *client {
	c := &client{out: out}
	c.dialect.Store(&dialect.Dialect{})
	return c
}

// forward sends a message of lldb-dap's. requestSeq is the client's number of the
// request it answers; sent, if not nil, is told the message's own.
func (c *client) forward(m *dapio.Message, requestSeq int64, sent func(seq int64)) {
	_ = c.out.Forward(c.dialect.Load().Reply(m), requestSeq, sent) // a client that has gone needs nothing
}

// say sends a message of the adapter's own.
func (c *client) say(v any, requestSeq int64) {
	m, err := dapio.Parse(marshal(v))
	if err != nil {
		panic(err) // a struct is an object
	}
	c.forward(m, requestSeq, nil)
}

// marshal cannot fail for the plain structs it is used with.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// event sends an event of the adapter's own.
func (c *client) event(name string, body any) {
	c.say(struct {
		dap.Event
		Body any `json:"body,omitempty"`
	}{dap.Event{ProtocolMessage: dap.ProtocolMessage{Type: dapio.Event}, Event: name}, body}, 0)
}

// Output categories (DAP, OutputEvent).
const (
	console   = "console"
	important = "important"
)

// output shows text to the user.
func (c *client) output(category, text string) {
	c.event("output", dap.OutputEventBody{Category: category, Output: text})
}

// request sends a request of the adapter's own; sent is told its number before the client
// can have it.
func (c *client) request(name string, arguments any, sent func(seq int64)) {
	m, err := dapio.Parse(marshal(struct {
		dap.Request
		Arguments any `json:"arguments"`
	}{dap.Request{ProtocolMessage: dap.ProtocolMessage{Type: dapio.Request}, Command: name}, arguments}))
	if err != nil {
		panic(err) // a struct is an object
	}
	c.forward(m, 0, sent)
}

// FaultEvent is the name of the event that tells a client of a fault which answers no
// request of its: its body is a FaultBody. It is only sent to a client whose initialize
// request says "supportsEnvoyFaults": true, or that Options.FaultEvents says it of.
const FaultEvent = "envoyFault"

// FaultBody is the body of a FaultEvent.
type FaultBody struct {
	fault.Form
	// Severity is "warning" when the session goes on, else "error".
	Severity string `json:"severity"`
}

// fault tells of a fault that answers no request: as an event to a client that shows
// faults itself, and once as text.
func (c *client) fault(f *fault.Fault) {
	if !c.showsFaults.Load() {
		c.output(important, f.Error()+"\n")
		return
	}
	c.output(console, f.Error()+"\n")
	body := FaultBody{Form: f.Form(), Severity: "error"}
	if fault.IsWarning(f.Code) {
		body.Severity = "warning"
	}
	c.event(FaultEvent, body)
}

// respond answers a request with success. body may be nil.
func (c *client) respond(m *dapio.Message, body any) {
	c.response(m, true, "", body)
}

// errorMessage is DAP's ErrorMessage with the fault's parts.
type errorMessage struct {
	dap.ErrorMessage
	Envoy fault.Form `json:"envoy"`
}

// refuse answers a request with a fault. VS Code shows it in a dialog unless it is
// quiet, or the refusal of the session to a client that shows that itself.
func (c *client) refuse(m *dapio.Message, f *fault.Fault, quiet bool) {
	if !quiet && c.showsFaults.Load() && (m.Name == "launch" || m.Name == "attach") {
		quiet = true
		c.output(console, f.Error()+"\n") // first: VS Code has no console for an extension to write to once the session is refused
	}
	c.response(m, false, f.What, map[string]errorMessage{"error": {dap.ErrorMessage{Id: f.Code, Format: f.Error(), ShowUser: !quiet}, f.Form()}})
}

func (c *client) response(m *dapio.Message, success bool, message string, body any) {
	c.say(struct {
		dap.Response
		Body any `json:"body,omitempty"`
	}{dap.Response{ProtocolMessage: dap.ProtocolMessage{Type: dapio.Response},
		RequestSeq: int(m.Seq), Success: success, Command: m.Name, Message: message}, body}, m.Seq)
}

// rawJSON is JSON text that is already encoded.
type rawJSON string

// MarshalJSON returns the text.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }
