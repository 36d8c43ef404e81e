//go:build linux

// Envoydbg-helper runs beside Envoy on behalf of envoydbg: it starts the debug
// server and the agent, stands in Envoy's place until a debugger is there, and
// ends what it started. It is no tool to call by hand.
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
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "envoydbg-helper: %v\n", err)
		code = 1
	}
	os.Exit(code)
}

func run(args []string) (int, error) {
	switch {
	case len(args) == 1 && args[0] == "version":
		fmt.Println(version)
		return 0, nil
	case len(args) == 1 && args[0] == "serve":
		dir, err := server.MakeDir()
		if err != nil {
			return 1, err
		}
		return server.Supervise("/proc/self/exe", []string{os.Args[0], "session", dir}, dir)
	case len(args) == 2 && args[0] == "session":
		return 0, server.Stdio(server.Options{Version: version, Dir: args[1]})
	}
	return 2, fmt.Errorf("usage: %s serve | version", os.Args[0])
}
