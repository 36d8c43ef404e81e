package command

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

func addOutput(flags *pflag.FlagSet, output *string) {
	flags.StringVarP(output, "output", "o", "table", "table, json or yaml")
}

// printerOf prints values in the format of --output; table is that for people.
func printerOf[T any](output string, table func(io.Writer, T) error) (func(io.Writer, T) error, error) {
	switch output {
	case "table":
		return table, nil
	case "json":
		return func(w io.Writer, v T) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(v)
		}, nil
	case "yaml":
		return func(w io.Writer, v T) error {
			b, err := yaml.Marshal(v)
			if err == nil {
				_, err = w.Write(b)
			}
			return err
		}, nil
	}
	return nil, fault.Usage(fmt.Sprintf("--output is %q", output), "It is table, json or yaml.")
}
