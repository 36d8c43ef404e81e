package e2e

import (
	"fmt"
	"os"
	"testing"

	"github.com/envoydbg/envoydbg/test/support/harness"
	"github.com/envoydbg/envoydbg/test/support/pidns"
)

// fakeProgram stands in for an lldb-dap; see fake-lldb-dap.
var fakeProgram string

func TestMain(m *testing.M) {
	pidns.Main(m, harness.SetUp, func() func() {
		var err error
		if tunnelProgram, err = harness.Build("tunnel", "./test/support/tunnel"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if fakeProgram, err = harness.Build("fake-lldb-dap", "./test/e2e/fake-lldb-dap"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return nil
	})
}
