//go:build linux

package main

import (
	"fmt"
	"os"

	"github.com/envoydbg/envoydbg/adapter/helper/bundle"
	"github.com/envoydbg/envoydbg/adapter/helper/gate"
	"github.com/envoydbg/envoydbg/adapter/helper/server"
	"github.com/envoydbg/envoydbg/internal/version"
)

func main() {
	gate.Main()   // does not return in a gate
	bundle.Main() // nor in a wrapper of lldb-server
	code, err := server.Main(os.Args, version.String())
	if err != nil {
		fmt.Fprintf(os.Stderr, "envoydbg-helper: %v\n", err)
	}
	os.Exit(code)
}
