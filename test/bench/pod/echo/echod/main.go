package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/envoydbg/envoydbg/test/bench/pod/echo"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "echod:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "serve":
		unix, err := net.Listen("unix", args[1])
		if err != nil {
			return err
		}
		tcp, err := net.Listen("tcp", args[2])
		if err != nil {
			return err
		}
		fmt.Println("ready")
		go func() { _ = echo.Serve(unix) }()
		return echo.Serve(tcp)
	case len(args) == 4 && args[0] == "measure":
		rounds, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		bytes, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		c, err := net.Dial("tcp", args[1])
		if err != nil {
			return err
		}
		defer c.Close()
		speed, err := echo.Measure(c, rounds, bytes)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(speed)
	}
	return fmt.Errorf("usage: echod serve UNIX TCP | echod measure TCP ROUNDS BYTES")
}
