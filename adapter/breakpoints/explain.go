package breakpoints

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/paths"
	"github.com/envoydbg/envoydbg/adapter/trace"
	"github.com/envoydbg/envoydbg/internal/regular"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// explainTime bounds the search for what the user may have meant; the answer to the
// editor waits for it. In a program of 1 GB it takes some 100 ms.
const explainTime = time.Second

// maxNearest is how many candidates are told.
const maxNearest = 3

// Explainer says why breakpoints have no place, from what the program's line tables
// and symbols say. It reads files, and may be asked from several goroutines.
type Explainer struct {
	program   string
	trace     *trace.Trace
	debugDirs []string

	once   sync.Once
	needed []library

	mu      sync.Mutex
	sources paths.Sources
	known   map[Asked]Reason            // with these sources
	files   map[string][]linetable.File // by library
}

// NewExplainer is for the program at path; "" when it is not known. debugDirs are more
// folders in which separate debug files may be (linetable.Read).
func NewExplainer(program string, t *trace.Trace, debugDirs ...string) *Explainer {
	return &Explainer{program: program, trace: t, debugDirs: debugDirs, files: map[string][]linetable.File{}}
}

// Explain finds the reasons of all; none where a file system does not answer in time.
// An editor sets the same breakpoints again and again, so what was found is
// remembered.
func (e *Explainer) Explain(sources paths.Sources, asked map[int]Asked) map[int]Reason {
	ctx, cancel := context.WithTimeout(context.Background(), explainTime)
	defer cancel()
	found := make(chan map[int]Reason, 1)
	go func() {
		defer close(found)
		defer e.trace.Recover("why breakpoints have no place")
		out := map[int]Reason{}
		for i, a := range asked {
			r, ok := e.recall(sources, a)
			if !ok {
				if r = e.explain(ctx, sources, a); ctx.Err() == nil {
					e.remember(a, r)
				}
			}
			out[i] = r
		}
		found <- out
	}()
	select {
	case out := <-found:
		return out
	case <-time.After(2 * explainTime): // it has stopped to look at ctx
		return nil
	}
}

func (e *Explainer) recall(sources paths.Sources, a Asked) (Reason, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known == nil || e.sources != sources {
		e.known, e.sources = map[Asked]Reason{}, sources
	}
	r, ok := e.known[a]
	return r, ok
}

func (e *Explainer) remember(a Asked, r Reason) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known[a] = r
}

func (e *Explainer) explain(ctx context.Context, sources paths.Sources, a Asked) Reason {
	switch {
	case a.Function != "":
		return e.function(ctx, sources, a.Function)
	case a.File == "":
		return Reason{Text: "LLDB could not set it."}
	case sources == nil:
		return e.withoutLines(ctx, a)
	}
	if files := sources.Ending(a.File); len(files) == 1 {
		lines, err := sources.Lines(ctx, files[0])
		switch {
		case err != nil: // damaged, or there was no time: which line is the next is not known
			return noLine(path.Base(a.File), int(a.Line), nil)
		case len(lines) > 0:
			return noLine(path.Base(a.File), int(a.Line), lines)
		}
	}
	return e.noFile(ctx, sources, a.File)
}

// withoutLines is for a program without a source map.
func (e *Explainer) withoutLines(ctx context.Context, a Asked) Reason {
	if library := e.libraryWithFile(ctx, a.File); library != "" {
		return notLoaded(library)
	}
	if info, err := elfinfo.Read(e.program); err == nil && !info.DWARF {
		return Reason{Text: fmt.Sprintf("%s has no line tables: no file and line of it can be found.", path.Base(e.program))}
	}
	return Reason{Text: "LLDB has found no code there."}
}

// noFile is for a file that the program has no code of.
func (e *Explainer) noFile(ctx context.Context, sources paths.Sources, file string) Reason {
	if library := e.libraryWithFile(ctx, file); library != "" {
		return notLoaded(library)
	}
	r := Reason{Text: "Nothing is compiled from a file that ends with " + file + "."}
	if path.IsAbs(file) {
		r.Text = "Nothing is compiled from " + file + "."
		// A file that is there was not mistyped: VS Code sends those of all the
		// workspace. What a program loads while it runs cannot be known.
		if regular.Is(file) && len(e.libraries()) > 0 {
			r.Pending = true
			r.Text += " A library that is loaded later may have it."
		}
	}
	if near := sources.Nearest(file, maxNearest); len(near) > 0 {
		r.Text += fmt.Sprintf(" Nearest: %s (line table of %s).", strings.Join(near, ", "), path.Base(e.program))
	}
	return r
}

// noLine is for a line that has no code, given those that have.
func noLine(file string, line int, lines []int) Reason {
	i, exact := slices.BinarySearch(lines, line)
	text := fmt.Sprintf("Line %d of %s has no code", line, file)
	switch {
	case exact:
		text = fmt.Sprintf("LLDB has found no place in line %d of %s, although the line table has it", line, file)
	case i < len(lines):
		text += fmt.Sprintf("; the next line that has is %d", lines[i])
	case len(lines) > 0:
		text += fmt.Sprintf("; the last line that has is %d", lines[len(lines)-1])
	}
	return Reason{Text: text + "."}
}

// function is for a word that is no function.
func (e *Explainer) function(ctx context.Context, sources paths.Sources, word string) Reason {
	if library := e.libraryWithFunction(ctx, word); library != "" {
		return notLoaded(library)
	}
	file := e.program
	if sources != nil {
		file = sources.SymbolFile()
	}
	name := path.Base(e.program)
	if info, err := elfinfo.Read(file); err == nil && !info.Symbols {
		return Reason{Text: name + " has no symbols: no function of it can be found by its name."}
	}
	near, _ := nearestFunctions(ctx, file, word, maxNearest)
	r := Reason{Text: fmt.Sprintf("%s has no function %s.", name, word)}
	if e.program == "" {
		r.Text = "There is no function " + word + "."
	}
	if len(near) > 0 {
		r.Text += " Nearest: " + strings.Join(near, ", ") + "."
	}
	return r
}

func notLoaded(library string) Reason {
	return Reason{Text: "It is in " + filepath.Base(library) + ", which is not loaded yet.", Pending: true}
}
