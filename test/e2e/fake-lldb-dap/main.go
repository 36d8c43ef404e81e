package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/dapio"
)

func main() {
	fmt.Fprintln(os.Stderr, "this is a fake lldb-dap, made for tests")
	kind := filepath.Base(os.Args[0])
	in, out := dapio.NewReader(os.Stdin), dapio.NewWriter(os.Stdout)
	for {
		m, err := in.Next()
		if err != nil {
			break
		}
		body := "{}"
		switch {
		case m.Name == "initialize" && strings.HasSuffix(kind, "mute"):
			_ = os.Stdout.Close()
			time.Sleep(time.Hour)
		case m.Name == "initialize" && strings.HasSuffix(kind, "old"):
			body = `{"$__lldb_version":"lldb version 18.1.8"}`
		case m.Name == "initialize":
			body = `{"$__lldb_version":"lldb version 22.1.8"}`
		case m.Name == "threads":
			body = `{"threads":[{"id":1,"name":"` + strings.Repeat("x", 8<<20) + `"}]}`
		}
		_ = out.Send(func(seq int64) []byte {
			return fmt.Appendf(nil, `{"seq":%d,"type":"response","request_seq":%d,"success":true,"command":%q,"body":%s}`, seq, m.Seq, m.Name, body)
		})
		if m.Name == "launch" && strings.HasSuffix(kind, "flood") {
			for i := range 50_000 {
				_ = out.Send(func(seq int64) []byte {
					return fmt.Appendf(nil, `{"seq":%d,"type":"event","event":"output","body":{"category":"stdout","output":"line %d of many that the client is in no hurry to read\n"}}`, seq, i)
				})
			}
		}
	}
	out.Close()
	<-out.Done()
}
