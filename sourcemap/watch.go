package sourcemap

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/envoydbg/envoydbg/internal/watch"
)

// Watch calls changed with a new map whenever the executable or the places of
// its sources have changed since m was made: a rebuild, `bazel clean`, another
// compilation mode, links that go and come back. The line tables stay those of m:
// a rebuild does not change what runs. While the executable is missing the last
// map stays.
//
// It returns nil when ctx ends, and an error as soon as a folder cannot be
// watched: nothing is half watched without a word. Folders are watched and not
// files, because a build replaces files.
func (m *Map) Watch(ctx context.Context, changed func(*Map)) error {
	cfg := m.cfg
	cfg.Table = m.Table
	_, err := abandonable(ctx, func() (struct{}, error) { return struct{}{}, cfg.watch(ctx, m.state, changed) })
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (cfg Config) watch(ctx context.Context, last string, changed func(*Map)) error {
	return watch.Folders(ctx, func() map[string]bool { return folders(cfg) }, func() error {
		now := signature(cfg)
		if now == last || now == missing {
			return nil
		}
		m, err := Load(ctx, cfg)
		if err != nil {
			return err
		}
		last = m.state
		changed(m)
		return nil
	})
}

// missing is the signature of an executable that is not there.
const missing = ""

// signature changes when the map may.
func signature(cfg Config) string {
	files := stamps(cfg.ELF)
	if files[0] == (stamp{}) {
		return missing
	}
	parts := []string{realPath(cfg.ELF), fmt.Sprint(files)}
	for _, link := range links(cfg.WorkTree) {
		to, _ := os.Readlink(link)
		_, err := os.Stat(link)
		parts = append(parts, to, fmt.Sprint(err == nil))
	}
	return strings.Join(parts, "\x00")
}

// links are Bazel's links in a work tree.
func links(tree string) (out []string) {
	if tree == "" {
		return nil
	}
	for _, name := range []string{"bazel-out", "bazel-bin", "bazel-" + filepath.Base(tree)} {
		out = append(out, filepath.Join(tree, name))
	}
	return out
}

// folders are those whose entries decide the signature: the work tree, the
// outputs, and every folder on the executable's path, as written and as it really
// is. Those above them decide it, too, when they are renamed; true marks the ones
// that builds write to.
func folders(cfg Config) map[string]bool {
	out := map[string]bool{}
	if cfg.WorkTree != "" {
		out[cfg.WorkTree] = true
		if outputs := filepath.Join(cfg.WorkTree, "bazel-out"); isDir(outputs) {
			out[realPath(outputs)] = true
		}
	}
	watch.Path(out, cfg.ELF, cfg.WorkTree)
	return out
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}
