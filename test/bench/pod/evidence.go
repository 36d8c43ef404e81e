package pod

import (
	"bytes"
	"debug/elf"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// looking prints what the kernel says of the one process in the pod that is the sample,
// in parts of one line each, and then its mappings.
const looking = `for p in /proc/[0-9]*; do
  [ "$(readlink $p/exe)" = "$1" ] || continue
  loader=$(sed -n 's/.* \(\/[^ ]*ld-linux[^ ]*\)$/\1/p' $p/maps | head -n 1)
  echo "process ${p#/proc/}"
  echo "state $(sed -n 's/^State:[[:space:]]*//p' $p/status)"
  echo "tracer $(sed -n 's/^TracerPid:[[:space:]]*//p' $p/status)"
  echo "syscall $(cat $p/syscall)"
  echo "auxv $(base64 -w 0 $p/auxv)"
  echo "loader $(head -c 64 "$loader" | base64 -w 0)"
done`

// standing is where the sample stands in the pod.
type standing struct {
	pid int
	// first: on the dynamic loader's first instruction. Nothing of the program has run.
	first bool
	pc    uint64
}

// look asks the kernel, not the debugger.
func (l *lab) look() (standing, error) {
	var s standing
	out, err := l.inPod(looking, envoyInPod)
	if err != nil {
		return s, err
	}
	says := map[string]string{}
	for line := range strings.Lines(out) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, twice := says[word]; twice {
			return s, fmt.Errorf("more than one process is the sample:\n%s", out)
		}
		says[word] = rest
	}
	wrong := func(err error) (standing, error) { return s, fmt.Errorf("%v:\n%s", err, out) }
	if !strings.HasPrefix(says["state"], "t ") || says["tracer"] == "0" {
		return wrong(fmt.Errorf("no tracer holds the sample"))
	}
	if s.pid, err = strconv.Atoi(says["process"]); err != nil {
		return wrong(err)
	}
	// The program counter is the last field of /proc/PID/syscall.
	fields := strings.Fields(says["syscall"])
	if len(fields) < 3 {
		return wrong(fmt.Errorf("no program counter"))
	}
	if s.pc, err = strconv.ParseUint(fields[len(fields)-1], 0, 64); err != nil {
		return wrong(err)
	}
	entry, err := loaderEntry(says["auxv"], says["loader"])
	if err != nil {
		return wrong(err)
	}
	s.first = s.pc == entry
	return s, nil
}

// loaderEntry is the address of the dynamic loader's first instruction, from the
// process's auxiliary vector and the head of the loader's file.
func loaderEntry(auxv, head string) (uint64, error) {
	const atBase = 7 // AT_BASE
	aux, err := base64.StdEncoding.DecodeString(auxv)
	if err != nil {
		return 0, err
	}
	file, err := base64.StdEncoding.DecodeString(head)
	if err != nil {
		return 0, err
	}
	var h elf.Header64
	if err := binary.Read(bytes.NewReader(file), binary.LittleEndian, &h); err != nil {
		return 0, fmt.Errorf("the loader's header: %w", err)
	}
	for i := 0; i+16 <= len(aux); i += 16 {
		if base := binary.LittleEndian.Uint64(aux[i+8:]); binary.LittleEndian.Uint64(aux[i:]) == atBase && base != 0 {
			return base + h.Entry, nil
		}
	}
	return 0, fmt.Errorf("no dynamic loader")
}
