package main

import (
	"os"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/control"
	"github.com/envoydbg/envoydbg/test/support/checkout"
)

func TestTheTypeScriptIsWhatTheDescriptionSays(t *testing.T) {
	t.Chdir(checkout.Path(t, "adapter/control"))
	comments, err := read(described...)
	if err != nil {
		t.Fatal(err)
	}
	there, err := os.ReadFile(checkout.Path(t, "extension/src/backend/protocol.ts"))
	if err != nil {
		t.Fatal(err)
	}
	if string(there) != control.TypeScript(func(name string) string { return comments[name] }) {
		t.Error("extension/src/backend/protocol.ts is old; make it by: go generate ./adapter/control")
	}
}
