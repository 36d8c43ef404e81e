package breakpoints

import (
	"context"
	"debug/elf"
	"path"
	"path/filepath"
	"strings"

	"github.com/envoydbg/envoydbg/internal/elffile"
	"github.com/envoydbg/envoydbg/internal/regular"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

// maxLibraries bounds how many of a program's libraries are looked at.
const maxLibraries = 64

// systemFolders are where ld.so looks at last; ld.so.cache mostly names the same.
var systemFolders = []string{"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
	"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"}

// library is one that a program is linked with.
type library struct {
	path string
	// own: it was found by the program's own search path, as libraries of the same
	// build are.
	own bool
}

// needed are the libraries that a program is linked with, and these in turn, as far
// as they are found on this machine. At the program's entry none is loaded.
func needed(program string) []library {
	var all []library
	seen := map[string]bool{}
	for queue := []string{program}; len(queue) > 0 && len(all) < maxLibraries; queue = queue[1:] {
		names, folders := imports(queue[0])
		for _, name := range names {
			if seen[name] {
				continue
			}
			seen[name] = true
			if l, ok := find(name, folders); ok {
				all = append(all, l)
				queue = append(queue, l.path)
			}
		}
	}
	return all
}

// imports are the libraries that an ELF names, and where it says to look for them.
func imports(file string) (names, folders []string) {
	if !regular.Is(file) {
		return nil, nil
	}
	f, err := elf.Open(file)
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	names, _ = f.ImportedLibraries()
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		found, _ := f.DynString(tag)
		for _, list := range found {
			folders = append(folders, strings.Split(list, ":")...)
		}
	}
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		real = file
	}
	for i, folder := range folders {
		folders[i] = strings.NewReplacer("$ORIGIN", filepath.Dir(real), "${ORIGIN}", filepath.Dir(real)).Replace(folder)
	}
	return names, folders
}

// find finds a library as ld.so does. A name with a slash is a path.
func find(name string, folders []string) (library, bool) {
	if strings.Contains(name, "/") {
		return library{name, true}, filepath.IsAbs(name) && regular.Is(name)
	}
	for i, folder := range append(folders[:len(folders):len(folders)], systemFolders...) {
		if p := filepath.Join(folder, name); filepath.IsAbs(p) && regular.Is(p) {
			return library{p, i < len(folders)}, true
		}
	}
	return library{}, false
}

// libraries are those that the program needs; found once.
func (e *Explainer) libraries() []library {
	e.once.Do(func() { e.needed = needed(e.program) })
	return e.needed
}

// filesOf are the source files of a library; they are read once.
func (e *Explainer) filesOf(ctx context.Context, l library) []linetable.File {
	e.mu.Lock()
	files, ok := e.files[l.path]
	e.mu.Unlock()
	if ok {
		return files
	}
	table, err := linetable.Read(ctx, l.path, e.debugDirs...)
	if table != nil {
		files = table.Files
	}
	if ctx.Err() == nil || err == nil {
		e.mu.Lock()
		e.files[l.path] = files
		e.mu.Unlock()
	}
	return files
}

// libraryWithFunction is the library that defines a function; "" for none.
func (e *Explainer) libraryWithFunction(ctx context.Context, word string) string {
	for _, l := range e.libraries() {
		if ctx.Err() == nil && defines(ctx, l.path, word) {
			return l.path
		}
	}
	return ""
}

func defines(ctx context.Context, file, word string) (found bool) {
	f, err := elffile.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	s := newSearch(word)
	_, _ = f.Functions(ctx, func(name []byte) { found = found || s.is(identifiers(name, s.space[:0])) })
	return found
}

// libraryWithFile is the library of the program's own that is compiled from a file;
// "" for none. Those of the system have no line tables.
func (e *Explainer) libraryWithFile(ctx context.Context, file string) string {
	for _, l := range e.libraries() {
		if !l.own || ctx.Err() != nil {
			continue
		}
		for _, f := range e.filesOf(ctx, l) {
			if f.Path == file || strings.HasSuffix(f.Path, "/"+strings.TrimPrefix(path.Clean(file), "/")) {
				return l.path
			}
		}
	}
	return ""
}
