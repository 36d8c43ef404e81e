package e2e

import (
	"testing"

	"github.com/envoydbg/envoydbg/test/harness"
	"github.com/envoydbg/envoydbg/test/pidns"
)

func TestMain(m *testing.M) { pidns.Main(m, harness.SetUp) }
