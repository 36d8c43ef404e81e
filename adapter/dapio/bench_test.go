package dapio

import (
	"fmt"
	"strings"
	"testing"
)

// What the proxy adds to a message it only passes on.
func BenchmarkParseAndRenumber(b *testing.B) {
	variables := func(bytes int) []byte {
		const one = `{"name":"cluster_","type":"const std::string &","value":"\"outbound|80||httpbin\"","evaluateName":"this->cluster_","variablesReference":17},`
		head := `{"body":{"variables":[`
		tail := `{"name":"n","value":"0","variablesReference":0}]},"command":"variables","request_seq":41,"seq":0,"success":true,"type":"response"}`
		return []byte(head + strings.Repeat(one, max(0, (bytes-len(head)-len(tail))/len(one))) + tail)
	}
	for _, size := range []int{300, 1 << 20} {
		raw := variables(size)
		b.Run(fmt.Sprintf("%d bytes", size), func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				m, err := Parse(raw)
				if err != nil {
					b.Fatal(err)
				}
				if out := m.appendRenumbered(nil, 7, 41); len(out) < len(raw)-10 {
					b.Fatal("short")
				}
			}
		})
	}
}
