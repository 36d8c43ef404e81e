package main

import (
	"bufio"
	"context"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

func main() {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("read linetable|stdlib ELF"))
	}
	started := time.Now()
	paths, read, err := map[string]func(string) ([]string, int64, error){"linetable": byLineTable, "stdlib": byStdlib}[os.Args[1]](os.Args[2])
	if err != nil {
		fail(err)
	}
	took := time.Since(started)
	out := bufio.NewWriter(os.Stdout)
	for _, path := range paths {
		fmt.Fprintln(out, path)
	}
	if err := out.Flush(); err != nil {
		fail(err)
	}
	fmt.Fprintln(os.Stderr, took.Nanoseconds(), highWater(), read)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func byLineTable(path string) (paths []string, read int64, err error) {
	table, err := linetable.Read(context.Background(), path)
	if err != nil {
		return nil, 0, err
	}
	for _, f := range table.Files {
		paths = append(paths, f.Path)
	}
	return paths, table.Sources.BytesRead, nil
}

func byStdlib(path string) (paths []string, read int64, err error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	data, err := f.DWARF()
	if err != nil {
		return nil, 0, err
	}
	seen := map[string]bool{}
	for r := data.Reader(); ; r.SkipChildren() {
		unit, err := r.Next()
		if err != nil || unit == nil {
			return paths, 0, err
		}
		lines, err := data.LineReader(unit)
		if err != nil {
			return nil, 0, err
		}
		if unit.Tag != dwarf.TagCompileUnit || lines == nil {
			continue
		}
		for _, file := range lines.Files() {
			if file != nil && !seen[file.Name] {
				seen[file.Name] = true
				paths = append(paths, file.Name)
			}
		}
	}
}

// highWater is VmHWM in KB. Unlike the maximum in a parent's rusage it does not
// count what the parent had when it forked.
func highWater() string {
	status, err := process.ReadStatus(os.Getpid())
	if err != nil {
		fail(err)
	}
	return strings.TrimSuffix(status.Field("VmHWM"), " kB")
}
