package startup

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/config"
	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/lldb"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// placesFound are the functions at which the presets stop. They are found without LLDB,
// which for a breakpoint by name makes an index of all names: of a program of 1 GB that
// takes it half a minute and 3 GB.
type placesFound struct {
	main, syscalls []linetable.Function
	err            error
}

// why says why there is no function of this name.
func (p *placesFound) why(name string) string {
	if p.err != nil {
		return fault.Plain(p.err)
	}
	return "the program has no function " + name
}

// Names as compilers mangle them: Envoy::MainCommon::main with any arguments; main, with
// the end of the name; anything of a class whose name ends with OsSysCallsImpl.
const (
	envoyMain   = "_ZN5Envoy10MainCommon4mainE"
	plainMain   = "main"
	systemCalls = "OsSysCallsImpl"
	endOfName   = "\x00"
	coldPart    = ".cold" // of a function, behind a branch that is hardly ever taken
)

// findPlaces looks for the functions of the presets while the other parts start.
func (s *Startup) findPlaces(ctx context.Context) {
	var texts []string
	for preset, names := range map[string][]string{config.PresetMain: {envoyMain, plainMain + endOfName}, config.PresetSyscalls: {systemCalls}} {
		if slices.Contains(s.cfg.BreakpointPresets, preset) {
			texts = append(texts, names...)
		}
	}
	if len(texts) == 0 {
		s.box.post(placesFound{})
		return
	}
	go func() {
		found := placesFound{err: errors.New("the symbols could not be read")}
		defer func() { s.box.post(found) }() // the presets wait for it
		defer s.trace.Recover("the places of the presets")
		if found = findPlaces(ctx, s.cfg.Program, s.opts.DebugDirs, texts); found.err != nil {
			s.trace.Line("places", "%v", found.err)
		}
	}()
}

func findPlaces(ctx context.Context, program string, debugDirs, texts []string) placesFound {
	all, err := linetable.Functions(ctx, program, debugDirs, func(name string) bool {
		if strings.HasSuffix(name, coldPart) {
			return false
		}
		return name == plainMain || strings.HasPrefix(name, envoyMain) || strings.Contains(name, systemCalls)
	}, texts...)
	found := placesFound{err: err}
	var plain []linetable.Function
	for _, f := range all {
		switch {
		case f.Name == plainMain:
			plain = append(plain, f)
		case strings.HasPrefix(f.Name, envoyMain):
			found.main = append(found.main, f)
		default:
			found.syscalls = append(found.syscalls, f)
		}
	}
	if len(found.main) == 0 {
		found.main = plain
	}
	return found
}

// placesOf are arguments of "breakpoint set" for each of the functions. A user who stops
// at the first instruction of functions gets that.
func (s *Startup) placesOf(ctx context.Context, functions []linetable.Function) ([]string, error) {
	said, err := s.command(ctx, "settings show target.skip-prologue")
	if err != nil {
		return nil, err
	}
	skip := !strings.Contains(said, "= false")
	var out []string
	for _, f := range functions {
		address := f.Address
		if skip {
			address = f.Body
		}
		out = append(out, s.at(address))
	}
	return out, nil
}

// at are arguments of "breakpoint set" for an address of the program's file.
func (s *Startup) at(address uint64) string {
	return fmt.Sprintf("--shlib %s --address %#x", lldb.Quote(filepath.Base(s.cfg.Program)), address)
}
