//go:build linux

package main

import (
	"fmt"
	"os"

	"github.com/envoydbg/envoydbg/adapter/helper/gate"
	"github.com/envoydbg/envoydbg/adapter/helper/server"
)

// version is set by the build.
var version = "dev"

func main() {
	gate.Main() // does not return in a gate
	code, err := server.Main(os.Args, version)
	if err != nil {
		fmt.Fprintf(os.Stderr, "envoydbg-helper: %v\n", err)
	}
	os.Exit(code)
}
