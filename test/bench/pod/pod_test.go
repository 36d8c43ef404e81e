package pod

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/envoydbg/envoydbg/test/support/cluster"
	"github.com/envoydbg/envoydbg/test/support/pidns"
)

func TestMain(m *testing.M) { pidns.Main(m, cluster.Up) }

// servers are the paths of the lldb-servers that are measured.
func (l *lab) servers() (paths []string) {
	for _, lldb := range versions {
		paths = append(paths, filepath.Join(l.root, fmt.Sprintf("bin/tools/lldb-%d/bin/lldb-server", lldb)))
	}
	return paths
}

func number(s string) float64 {
	f, _ := strconv.ParseFloat(s, 64)
	return f
}

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
