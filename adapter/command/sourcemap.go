package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/sourcemap"
	"github.com/envoydbg/envoydbg/sourcemap/linetable"
)

func sourcemapCommand() *cobra.Command {
	var workTree string
	var pairs []string
	var asJSON, asLLDB, all bool
	cmd := &cobra.Command{
		Use:   "sourcemap ELF",
		Short: "Show where the source files of an executable are on this machine",
		Long: `Sourcemap reads the source paths in an executable's debug information and says
which local file each one is, by which rule; which files are missing, and which
are not what was compiled. A debug session uses the same map by itself.`,
		Example: `  envoydbg sourcemap bazel-bin/envoy
  envoydbg sourcemap --lldb bazel-bin/envoy >> ~/.lldbinit-envoy`,
		Args: oneELF,
		RunE: func(cmd *cobra.Command, args []string) error {
			fault.SpeakOfFlags(map[string]string{"program": "the argument ELF", "sourceMap": "--source-map", "workTree": "--work-tree"})
			if asJSON && asLLDB {
				return fault.Usage("--json and --lldb exclude each other", "Give one of them.")
			}
			elf, err := filepath.Abs(args[0])
			if err != nil {
				return err
			}
			cfg := sourcemap.Config{ELF: elf, Cache: sourcemap.UserCache()}
			if err := exists("--work-tree", workTree); err != nil {
				return err
			}
			if workTree != "" {
				if cfg.WorkTree, err = filepath.Abs(workTree); err != nil {
					return err
				}
			}
			user, err := parsePairs(pairs)
			if err != nil {
				return err
			}
			for _, p := range user {
				if err := exists("--source-map", p[1]); err != nil {
					return err
				}
				cfg.User = append(cfg.User, sourcemap.Pair{From: p[0], To: p[1]})
			}
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			m, damage, err := loadMap(ctx, args[0], cfg)
			if err != nil {
				return err
			}
			if damage != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), damage)
			}
			out := cmd.OutOrStdout()
			if asLLDB {
				for _, line := range m.LLDB() {
					fmt.Fprintln(out, line)
				}
				return nil
			}
			report, err := m.Report(ctx, progress(cmd.ErrOrStderr(), len(m.Entries)))
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(out)
				e.SetIndent("", "  ")
				return e.Encode(report)
			}
			printReport(out, report, all)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&workTree, "work-tree", "", "`folder` with the sources (default: the Bazel work tree that ELF lies in or was built from, else the version-controlled one that it lies in)")
	flags.StringArrayVar(&pairs, "source-map", nil, "`FROM=TO`: a folder in the debug information and where it is here; wins; repeatable")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	flags.BoolVar(&asLLDB, "lldb", false, "print the nearest LLDB commands, for use without envoydbg")
	flags.BoolVar(&all, "all", false, "list every missing file with the places tried")
	return cmd
}

// loadMap reads the source map of a program that the user calls name. What could be read of
// damaged tables comes with the damage, which is else nil.
func loadMap(ctx context.Context, name string, cfg sourcemap.Config) (m *sourcemap.Map, damage *fault.Fault, err error) {
	m, err = sourcemap.Load(ctx, cfg)
	switch {
	case errors.Is(err, linetable.ErrNoLineTables):
		return nil, nil, fault.NoLineTables(name, err)
	case m == nil:
		return nil, nil, fault.BadProgram(name, err)
	case err != nil && len(m.Entries) == 0:
		return nil, nil, fault.NoSources(name, err)
	case err != nil:
		return m, fault.NoSources(name, err), nil
	}
	return m, nil, nil
}

// progress shows on a terminal how far the comparison of checksums has come.
func progress(w io.Writer, total int) func(int) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func(done int) {
		if done%256 == 0 {
			fmt.Fprintf(w, "\r%d of %d files", done, total)
		}
		if done+1 >= total {
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
}

// listed is how many files of a kind are named without --all.
const listed = 10

func printReport(w io.Writer, r sourcemap.Report, all bool) {
	fmt.Fprintf(w, "program      %s   build-id %s\n", r.ELF, r.BuildID)
	if r.WorkTree != "" {
		fmt.Fprintf(w, "work tree    %s\n", r.WorkTree)
	} else {
		fmt.Fprintf(w, "work tree    not known; --work-tree names it\n")
	}
	if r.OutputBase != "" {
		fmt.Fprintf(w, "output base  %s   (%s)\n", r.OutputBase, r.OutputBaseFrom)
	}
	for i, root := range r.Roots {
		head := "roots"
		if i > 0 {
			head = ""
		}
		path := root.Path
		if path == "" {
			path = "(relative)"
		}
		fmt.Fprintf(w, "%-12s %5d files  %-14s %s\n", head, root.Files, root.Kind, path)
	}
	var rules []string
	found := 0
	for how, n := range r.Mapped {
		rules = append(rules, fmt.Sprintf("%d by %s", n, how))
		found += n
	}
	sort.Strings(rules)
	fmt.Fprintf(w, "files        %5d, %d found (%s)\n", r.Files, found, strings.Join(rules, ", "))
	list(w, "generated", "by a build in another configuration than the program's", r.OtherConfiguration, all)
	list(w, "guessed", "found by the end of the path alone", r.Guessed, all)
	list(w, "changed", "not what was compiled", r.Changed, all)
	list(w, "saved later", "than the build; they have probably changed", r.SavedLater, all)
	list(w, "missing", "not on this machine", r.Unmapped, all)
}

func list(w io.Writer, head, why string, files []sourcemap.FileReport, all bool) {
	if len(files) == 0 {
		return
	}
	fmt.Fprintf(w, "%-12s %5d  %s\n", head, len(files), why)
	for i, f := range files {
		if i == listed && !all {
			fmt.Fprintf(w, "             … %d more, see --all\n", len(files)-listed)
			return
		}
		fmt.Fprintf(w, "             %s", f.Path)
		if f.Local != "" {
			fmt.Fprintf(w, " → %s", f.Local)
		}
		fmt.Fprintln(w)
		if all {
			for _, t := range f.Tried {
				fmt.Fprintf(w, "               tried %s\n", t)
			}
		}
	}
}
