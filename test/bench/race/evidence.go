package race

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/envoydbg/envoydbg/internal/process"
)

// beganSymbol is a counter of the sample that its MainCommon::main counts up
// before anything else.
const beganSymbol = "_ZN5Envoy10main_beganE"

// binary is what is known in advance about the Envoy that is started.
type binaryFile struct {
	path  string
	began uint64 // the counter's address in the file
}

func readBinary(path string) (binaryFile, error) {
	f, err := elf.Open(path)
	if err != nil {
		return binaryFile{}, err
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		return binaryFile{}, err
	}
	at := slices.IndexFunc(symbols, func(s elf.Symbol) bool { return s.Name == beganSymbol })
	if at < 0 {
		return binaryFile{}, fmt.Errorf("%s has no %s", path, beganSymbol)
	}
	return binaryFile{path, symbols[at].Value}, nil
}

// progress is how far a stopped process has come, according to the kernel and not
// to the debugger.
type progress struct {
	// first: the process stands on the first instruction of its program, that
	// of the dynamic loader.
	first bool
	pc    uint64 // as the kernel tells it
	// began: MainCommon::main has begun.
	began bool
}

// inspect reads how far process pid has come, which must be held by a tracer.
func (b binaryFile) inspect(pid int) (progress, error) {
	var p progress
	status, err := process.ReadStatus(pid)
	if err != nil {
		return p, err
	}
	if !strings.HasPrefix(status.Field("State"), "t ") || status.Tracer() == 0 {
		return p, fmt.Errorf("process %d is not held by a tracer:\n%s", pid, status)
	}
	pc, err := programCounter(pid)
	if err != nil {
		return p, err
	}
	entry, err := loaderEntry(pid)
	if err != nil {
		return p, err
	}
	p.first, p.pc = pc == entry, pc
	base, err := loadAddress(pid, b.path)
	if err != nil {
		return p, err
	}
	memory, err := os.Open(procfs(pid, "mem"))
	if err != nil {
		return p, err
	}
	defer memory.Close()
	var counter [4]byte
	if _, err := memory.ReadAt(counter[:], int64(base+b.began)); err != nil {
		return p, fmt.Errorf("%s at %#x: %w", beganSymbol, base+b.began, err)
	}
	p.began = binary.NativeEndian.Uint32(counter[:]) != 0
	return p, nil
}

func procfs(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}

// programCounter is the last field of /proc/PID/syscall.
func programCounter(pid int) (uint64, error) {
	b, err := os.ReadFile(procfs(pid, "syscall"))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b))
	if len(fields) < 3 {
		return 0, fmt.Errorf("/proc/%d/syscall reads %q", pid, b)
	}
	return strconv.ParseUint(fields[len(fields)-1], 0, 64)
}

// loaderEntry is the address of the dynamic loader's first instruction: where
// the kernel has put it, and its entry in the file.
func loaderEntry(pid int) (uint64, error) {
	const atBase = 7 // AT_BASE
	aux, err := os.ReadFile(procfs(pid, "auxv"))
	if err != nil {
		return 0, err
	}
	base := uint64(0)
	for i := 0; i+16 <= len(aux); i += 16 {
		if binary.NativeEndian.Uint64(aux[i:]) == atBase {
			base = binary.NativeEndian.Uint64(aux[i+8:])
		}
	}
	if base == 0 {
		return 0, fmt.Errorf("process %d has no dynamic loader", pid)
	}
	path, err := mappedAt(pid, func(from uint64, _ string) bool { return from == base })
	if err != nil {
		return 0, err
	}
	f, err := elf.Open(path.name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return base + f.Entry, nil
}

// loadAddress is where the first segment of the file, at its offset 0, lies.
func loadAddress(pid int, file string) (uint64, error) {
	m, err := mappedAt(pid, func(_ uint64, name string) bool { return name == file })
	return m.from, err
}

type mapping struct {
	from uint64
	name string
}

// mappedAt is the first mapping in /proc/PID/maps that matches.
func mappedAt(pid int, match func(from uint64, name string) bool) (mapping, error) {
	b, err := os.ReadFile(procfs(pid, "maps"))
	if err != nil {
		return mapping{}, err
	}
	for l := range strings.Lines(string(b)) {
		fields := strings.Fields(l)
		if len(fields) < 6 {
			continue
		}
		start, _, _ := strings.Cut(fields[0], "-")
		from, err := strconv.ParseUint(start, 16, 64)
		if err == nil && match(from, fields[5]) {
			return mapping{from, fields[5]}, nil
		}
	}
	return mapping{}, fmt.Errorf("nothing matches in /proc/%d/maps:\n%s", pid, b)
}

// processes lists the process ids of this PID namespace.
func processes() (map[int]bool, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	pids := map[int]bool{}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids[pid] = true
		}
	}
	return pids, nil
}
