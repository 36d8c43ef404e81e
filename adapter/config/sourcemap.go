package config

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// SourceMap is lldb-dap's sourceMap: pairs of a folder in the debug information
// and one here. An object is taken as well, in the order it is written in.
type SourceMap [][2]string

// UnmarshalJSON takes [["from","to"],…] and {"from":"to",…}.
func (m *SourceMap) UnmarshalJSON(b []byte) error {
	if !bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		var pairs [][]string
		if err := json.Unmarshal(b, &pairs); err != nil {
			return m.wrong(b)
		}
		for _, p := range pairs {
			if len(p) != 2 {
				return m.wrong(b)
			}
			*m = append(*m, [2]string{p[0], p[1]})
		}
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	_, _ = d.Token() // the brace
	for d.More() {
		from, err := d.Token()
		if err != nil {
			return err
		}
		to, err := d.Token()
		if err != nil {
			return err
		}
		text, ok := to.(string)
		if !ok {
			return m.wrong(b)
		}
		*m = append(*m, [2]string{fmt.Sprint(from), text})
	}
	return nil
}

// wrong is the error for a value of another form; encoding/json adds the field.
func (*SourceMap) wrong(b []byte) error {
	return &json.UnmarshalTypeError{Value: "value of another form: " + clip(string(b))}
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
