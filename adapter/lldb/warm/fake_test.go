package warm

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

// fakeVariable makes this test program an lldb-dap of the version that it names.
const fakeVariable = "WARM_TEST_FAKE"

// dies is a file beside the fake: while it is there, the fake ends where it should read
// symbols.
const dies = "dies"

func TestMain(m *testing.M) {
	if version := os.Getenv(fakeVariable); version != "" {
		fake(version)
		return
	}
	os.Exit(m.Run())
}

// fake is an lldb-dap as a Keeper sees it.
func fake(version string) {
	if i := len(os.Args) - 1; os.Args[i-1] == "--connection" {
		l, err := net.Listen("unix", strings.TrimPrefix(os.Args[i], "accept://"))
		if err != nil {
			os.Exit(1)
		}
		fmt.Println("Listening for: it")
		for {
			conn, err := l.Accept()
			if err != nil {
				os.Exit(1)
			}
			serve(version, conn, conn)
			_ = conn.Close()
		}
	}
	serve(version, os.Stdin, os.Stdout)
}

func serve(version string, in io.Reader, to io.Writer) {
	messages, out := dapio.NewReader(in), dapio.NewWriter(to)
	for {
		m, err := messages.Next()
		if err != nil {
			return
		}
		if _, err := os.Stat(filepath.Join(os.Getenv(fakeVariable+"_DIR"), dies)); err == nil && (m.Name == "attach" || version == "19") {
			os.Exit(1)
		}
		_ = out.Send(func(seq int64) []byte {
			return fmt.Appendf(nil, `{"seq":%d,"type":"response","request_seq":%d,"success":%t,"command":%q,"body":{"$__lldb_version":"lldb version %s"}}`,
				seq, m.Seq, m.Name != "attach", m.Name, version)
		})
		if m.Name == "disconnect" {
			out.Close()
			<-out.Done()
			return
		}
	}
}
