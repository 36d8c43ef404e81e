package sourcemap

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// result is one run of a reader.
type result struct {
	took   time.Duration
	memory int64 // bytes resident at most
	read   int64 // bytes read from the file; 0 if not known
	files  map[string]bool
}

// reader runs a program that lists source files.
type reader struct {
	name    string
	command func(program string) []string
	parse   func(io.Reader) (map[string]bool, error)
	own     bool // is the command read, which states its own time and memory
}

// readers are this project's and its peers. read is the path of the command.
func readers(read string) []reader {
	return []reader{
		{"sourcemap/linetable", func(p string) []string { return []string{read, "linetable", p} }, lines, true},
		{"llvm-dwarfdump-19 --show-sources", func(p string) []string { return []string{"llvm-dwarfdump-19", "--show-sources", p} }, lines, false},
		{"readelf --debug-dump=line", func(p string) []string { return []string{"readelf", "--wide", "--debug-dump=line", p} }, readelf, false},
		{"Go's debug/dwarf", func(p string) []string { return []string{read, "stdlib", p} }, lines, true},
	}
}

// run reads a program once.
func (r reader) run(program string) (res result, err error) {
	args := r.command(program)
	cmd := exec.Command(args[0], args[1:]...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return res, err
	}
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return res, err
	}
	files, parseErr := r.parse(out)
	if err := cmd.Wait(); err != nil {
		return res, fmt.Errorf("%s: %w\n%s", r.name, err, stderr.String())
	}
	if parseErr != nil {
		return res, fmt.Errorf("%s: %w", r.name, parseErr)
	}
	res = result{took: time.Since(started), files: files}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		res.memory = usage.Maxrss << 10
	}
	if r.own {
		var took, kb int64
		if _, err := fmt.Sscan(stderr.String(), &took, &kb, &res.read); err != nil {
			return res, fmt.Errorf("%s: %q: %w", r.name, stderr.String(), err)
		}
		res.took, res.memory = time.Duration(took), kb<<10
	}
	return res, nil
}

// lines reads one path per line. The peers do not normalise paths; LLDB does.
func lines(r io.Reader) (map[string]bool, error) {
	files := map[string]bool{}
	in := bufio.NewScanner(r)
	for in.Scan() {
		if in.Text() != "" {
			files[path.Clean(in.Text())] = true
		}
	}
	return files, in.Err()
}

var (
	readelfDir  = regexp.MustCompile(`^  \d+\t\(line_strp\)\t\(offset: [0-9a-fx]+\): (.*)$`)
	readelfFile = regexp.MustCompile(`^  \d+\t\(udata\)\t(\d+)\t\(line_strp\)\t\(offset: [0-9a-fx]+\): (.*)$`)
)

// readelf reads the tables of directories and files of version 5, and skips the
// line number programs, whose text takes some GB.
func readelf(r io.Reader) (map[string]bool, error) {
	const programs, inDirs, inFiles = 0, 1, 2
	files := map[string]bool{}
	state := programs
	var dirs []string
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		b := in.Bytes()
		switch {
		case bytes.HasPrefix(b, []byte(" The Directory Table")):
			state, dirs = inDirs, dirs[:0]
		case bytes.HasPrefix(b, []byte(" The File Name Table")):
			state = inFiles
		case len(b) == 0:
			state = programs
		case state == programs || bytes.HasPrefix(b, []byte("  Entry\t")):
		case state == inDirs:
			m := readelfDir.FindSubmatch(b)
			if m == nil {
				return nil, fmt.Errorf("not a directory: %q", b)
			}
			dirs = append(dirs, string(m[1]))
		case state == inFiles:
			m := readelfFile.FindSubmatch(b)
			if m == nil {
				return nil, fmt.Errorf("not a file: %q", b)
			}
			at, err := strconv.Atoi(string(m[1]))
			if err != nil || at >= len(dirs) {
				return nil, fmt.Errorf("directory %s of %d", m[1], len(dirs))
			}
			joined := string(m[2])
			for _, dir := range []string{dirs[at], dirs[0]} {
				if !path.IsAbs(joined) {
					joined = dir + "/" + joined
				}
			}
			files[path.Clean(joined)] = true
		}
	}
	return files, in.Err()
}

// evict drops the program's pages from the page cache.
func evict(program string) error {
	f, err := os.Open(program)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return err
	}
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
