package adapter

import (
	"encoding/json"

	"github.com/google/go-dap"

	"github.com/envoydbg/envoydbg/adapter/dapio"
	"github.com/envoydbg/envoydbg/adapter/fault"
)

// What the adapter says to the client for itself.

// marshal cannot fail for the plain structs it is used with.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// event sends an event of the adapter's own.
func (s *Session) event(name string, body any) {
	_ = s.toClient.Send(func(seq int64) []byte {
		return marshal(struct {
			dap.Event
			Body any `json:"body,omitempty"`
		}{dap.Event{ProtocolMessage: dap.ProtocolMessage{Seq: int(seq), Type: dapio.Event}, Event: name}, body})
	})
}

// respond answers a request of the client's.
func (s *Session) respond(req *dapio.Message, body any) {
	s.response(req.Seq, req.Name, true, "", body)
}

// refuse answers a request of the client's with a fault.
func (s *Session) refuse(req *dapio.Message, f *fault.Fault) {
	s.trace.line("fault", "%s answers %s", f.ID(), req.Name)
	s.response(req.Seq, req.Name, false, f.What, errorBody(f))
}

// errorBody is the body of an error response; showUser makes VS Code show the
// text in a dialog, with the line breaks.
func errorBody(f *fault.Fault) dap.ErrorResponseBody {
	return dap.ErrorResponseBody{Error: &dap.ErrorMessage{Id: f.Code, Format: f.Error(), ShowUser: true}}
}

func (s *Session) response(requestSeq int64, command string, success bool, message string, body any) {
	_ = s.toClient.Send(func(seq int64) []byte {
		return marshal(struct {
			dap.Response
			Body any `json:"body,omitempty"`
		}{dap.Response{ProtocolMessage: dap.ProtocolMessage{Seq: int(seq), Type: dapio.Response},
			RequestSeq: int(requestSeq), Success: success, Command: command, Message: message}, body})
	})
}

// Output categories (DAP, OutputEvent).
const (
	console   = "console"
	important = "important"
	stdout    = "stdout"
	stderr    = "stderr"
)

// output shows text to the user.
func (s *Session) output(category, text string) {
	s.event("output", dap.OutputEventBody{Category: category, Output: text})
}
