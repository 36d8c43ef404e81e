package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/remote"
	"github.com/envoydbg/envoydbg/kube"
	"github.com/envoydbg/envoydbg/kube/hold"
)

// holdFiles are the flags of hold that are about manifests.
type holdFiles struct {
	names       []string
	output, dry string
	diff        bool
}

// withFiles adds to hold what it does with manifests in place of a target.
func withFiles(cmd *cobra.Command) *cobra.Command {
	var f holdFiles
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.names, "filename", "f", nil, "`file` or folder with manifests, - for stdin, whose held form is printed; repeatable")
	flags.BoolVar(&f.diff, "diff", false, "with -f: print what is different")
	flags.StringVarP(&f.output, "output", "o", "yaml", "with -f: yaml or json")
	flags.StringVar(&f.dry, "dry-run", "client", "with -f: client, or server for what the API server would make of it")
	cmd.Use = "hold TARGET | -f FILE"
	cmd.Long += `

With -f nothing is held: the held form of manifests is printed, as they are written where
nothing changes, for kubectl to apply. Their release is that of a workload.`
	cmd.Example += `
  envoydbg hold -f deployment.yaml | kubectl apply -f -`
	target := cmd.RunE
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(f.names) > 0 {
			return noWords(cmd, args)
		}
		return cobra.ExactArgs(1)(cmd, args)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		given := cmd.Flags().Changed
		if len(f.names) == 0 {
			if given("diff") || given("output") || given("dry-run") {
				return fault.Usage("--diff, --output and --dry-run are about manifests", "Name some with -f.")
			}
			return target(cmd, args)
		}
		for _, other := range []string{"copy", "workload", "for", "same-node", "application", "capture"} {
			if given(other) {
				return fault.Usage(fmt.Sprintf("--%s is about a target, and -f names manifests", other), "Leave one of them out.")
			}
		}
		ctx, stop := untilInterrupted(cmd)
		defer stop()
		return f.run(ctx, cmd)
	}
	return cmd
}

func (f *holdFiles) run(ctx context.Context, cmd *cobra.Command) error {
	switch {
	case f.output != "yaml" && f.output != "json":
		return fault.Usage(fmt.Sprintf("--output is %q", f.output), "It is yaml or json.")
	case f.dry != "client" && f.dry != "server":
		return fault.Usage(fmt.Sprintf("--dry-run is %q", f.dry), "It is client or server.")
	}
	before, err := f.read(cmd.InOrStdin())
	if err != nil {
		return err
	}
	container, err := cmd.Flags().GetString("container")
	if err != nil {
		return err
	}
	options := hold.WorkloadOptions{Who: remote.WhoAmI(), Container: container, Now: time.Now()}
	var all []hold.Document
	var original, held strings.Builder
	for _, m := range before {
		documents, err := hold.Manifest(m.text, options)
		if err != nil {
			return fault.NoHeldForm(m.name, err)
		}
		original.WriteString(separated(m.text))
		var text strings.Builder
		for _, d := range documents {
			if text.WriteString(d.Text); d.Held {
				all = append(all, d)
				fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s is held\n", m.name, d.Name)
				if fixed := fixedOf(d); len(fixed) > 0 {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s cannot be changed where it exists: delete it before, and to give it back delete it and apply the original.\n",
						m.name, strings.Join(fixed, ", "))
				}
			} else if f.output == "json" && d.Name != "" {
				all = append(all, d)
			}
		}
		held.WriteString(separated(text.String()))
	}
	if !slices.ContainsFunc(all, func(d hold.Document) bool { return d.Held }) {
		fmt.Fprintln(cmd.ErrOrStderr(), "Nothing is changed: there is no pod, and nothing that makes pods, that is not held.")
	}
	text := held.String()
	if f.dry == "server" {
		if text, err = f.server(ctx, cmd, all); err != nil {
			return err
		}
	} else if f.output == "json" {
		if text, err = objects(all); err != nil {
			return err
		}
	}
	if f.diff {
		if text, err = difference(ctx, original.String(), text); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(cmd.OutOrStdout(), text); err != nil {
		return fault.OutputLost(err)
	}
	return nil
}

// fixedOf are the held objects of a document whose pods cannot be changed once they are made.
func fixedOf(d hold.Document) (names []string) {
	for _, object := range d.Workloads() {
		if u := (unstructured.Unstructured{Object: object}); !hold.Changeable(u.GetKind()) {
			names = append(names, u.GetKind()+"/"+u.GetName())
		}
	}
	return names
}

// separated ends a file with the end of a line, so that it can be followed by another one.
func separated(text string) string {
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

// manifest is one file.
type manifest struct{ name, text string }

// read reads the files; of a folder those that kubectl takes.
func (f *holdFiles) read(stdin io.Reader) (all []manifest, err error) {
	for _, name := range f.names {
		if name == "-" {
			b, err := io.ReadAll(stdin)
			if err != nil {
				return nil, fault.Usage("stdin cannot be read: "+fault.WithoutPath(err).Error(), "Give it a manifest.")
			}
			all = append(all, manifest{"stdin", string(b)})
			continue
		}
		files := []string{name}
		if st, err := os.Stat(name); err == nil && st.IsDir() {
			files = nil
			for _, pattern := range []string{"*.yaml", "*.yml", "*.json"} {
				found, _ := filepath.Glob(filepath.Join(name, pattern))
				files = append(files, found...)
			}
			slices.Sort(files)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil, fault.Usage(fmt.Sprintf("-f names %s, which is not there", file), "Name a file or a folder, or - for stdin.")
			case err != nil:
				return nil, fault.NotPermitted("read the manifest", file, fault.WithoutPath(err).Error())
			}
			all = append(all, manifest{file, string(b)})
		}
	}
	// Files that follow each other are documents of one output.
	for i := range all {
		if i > 0 && !strings.HasPrefix(all[i].text, "---") {
			all[i].text = "---\n" + all[i].text
		}
	}
	return all, nil
}

// server is what the API server would make of the held ones.
func (f *holdFiles) server(ctx context.Context, cmd *cobra.Command, all []hold.Document) (string, error) {
	flags := kube.NewFlags()
	if err := flags.Parse(kube.Given(cmd.Flags())); err != nil {
		return "", err
	}
	cluster, err := connect(flags)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	var answers []hold.Document
	for _, d := range all {
		for _, object := range d.Workloads() {
			made, err := cluster.DryApply(ctx, object)
			if err != nil {
				return "", holdFault(err, d.Name, cluster.Namespace())
			}
			answers = append(answers, hold.Document{Object: made})
			b, err := yaml.Marshal(made)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&out, "---\n%s", b)
		}
	}
	if f.output == "json" {
		return objects(answers)
	}
	return out.String(), nil
}

// objects is one object as JSON, or several as a list.
func objects(all []hold.Document) (string, error) {
	items := []any{}
	for _, d := range all {
		for _, object := range d.Objects() {
			items = append(items, object)
		}
	}
	var v any = map[string]any{"apiVersion": "v1", "kind": "List", "items": items}
	if len(items) == 1 {
		v = items[0]
	}
	b, err := json.MarshalIndent(v, "", "    ")
	return string(b) + "\n", err
}

// difference is what diff(1), or the program that kubectl would take, says.
func difference(ctx context.Context, before, after string) (string, error) {
	dir, err := os.MkdirTemp("", "envoydbg-diff-")
	if err != nil {
		return "", fault.From(err)
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"before": before, "held": after} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", fault.From(err)
		}
	}
	words := strings.Fields(cmp.Or(os.Getenv("KUBECTL_EXTERNAL_DIFF"), "diff -u"))
	diff := exec.CommandContext(ctx, words[0], append(words[1:], "before", "held")...)
	diff.Dir = dir
	out, err := diff.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() == 1 {
		err = nil // there are differences
	}
	if err != nil {
		return "", fault.NotPermitted("compare the manifests", words[0], err.Error())
	}
	return string(out), nil
}
