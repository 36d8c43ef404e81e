package adapter

import (
	"encoding/json"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// client is what the adapter says to the client for itself. Nothing here blocks.
type client struct {
	out *dapio.Writer
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
func (c client) event(name string, body any) {
	_ = c.out.Send(func(seq int64) []byte {
		return marshal(struct {
			dap.Event
			Body any `json:"body,omitempty"`
		}{dap.Event{ProtocolMessage: dap.ProtocolMessage{Seq: int(seq), Type: dapio.Event}, Event: name}, body})
	})
}

// Output categories (DAP, OutputEvent).
const (
	console   = "console"
	important = "important"
)

// output shows text to the user.
func (c client) output(category, text string) {
	c.event("output", dap.OutputEventBody{Category: category, Output: text})
}

// respond answers a request with success. body may be nil.
func (c client) respond(m *dapio.Message, body any) {
	c.response(m, true, "", body)
}

// refuse answers a request with a fault. VS Code shows it in a dialog unless it is
// quiet.
func (c client) refuse(m *dapio.Message, f *fault.Fault, quiet bool) {
	c.response(m, false, f.What,
		dap.ErrorResponseBody{Error: &dap.ErrorMessage{Id: f.Code, Format: f.Error(), ShowUser: !quiet}})
}

func (c client) response(m *dapio.Message, success bool, message string, body any) {
	_ = c.out.Send(func(seq int64) []byte {
		return marshal(struct {
			dap.Response
			Body any `json:"body,omitempty"`
		}{dap.Response{ProtocolMessage: dap.ProtocolMessage{Seq: int(seq), Type: dapio.Response},
			RequestSeq: int(m.Seq), Success: success, Command: m.Name, Message: message}, body})
	})
}

// rawJSON is JSON text that is already encoded.
type rawJSON string

// MarshalJSON returns the text.
func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }
