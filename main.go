package main

import (
	"os"

	"github.com/envoydbg/envoydbg/adapter/command"
)

func main() { os.Exit(command.Main(os.Args[1:])) }
