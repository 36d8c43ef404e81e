package adapter

import (
	"testing"

	"github.com/envoydbg/envoydbg/adapter/breakpoints"
)

// LLDB 22 has a progress of its own for the wait; the startup's says more.
func TestLLDBsWordsForTheWaitAreNotPassedOn(t *testing.T) {
	s := ready(t)
	s.client("attach")
	s.router.begin(&fakeSequence{}, breakpoints.NewExplainer("", nil), false)
	s.got("event capabilities")
	s.event("progressStart", `{"progressId":"7","title":"Waiting to attach to process"}`)
	s.event("progressStart", `{"progressId":"8","title":"Parsing symbol table: envoy"}`)
	s.event("progressUpdate", `{"progressId":"7"}`)
	s.event("progressEnd", `{"progressId":"7"}`)
	s.event("progressEnd", `{"progressId":"8"}`)
	s.got("event progressStart", "event progressEnd")
}
