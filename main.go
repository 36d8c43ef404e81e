// Envoydbg debugs the startup of Envoy: see README.md.
package main

import (
	"os"

	"github.com/envoydbg/envoydbg/adapter/command"
)

func main() { os.Exit(command.Main(os.Args[1:])) }
