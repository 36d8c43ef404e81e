package pod

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
)

// sessionFolder is below the folder of what was uploaded.
const sessionFolder = "session"

// Logs writes what the agent and Envoy of the running session have written, from the
// start as far as it was kept, and with follow what they write until they end.
func (t *Target) Logs(ctx context.Context, follow bool, to io.Writer) error {
	if err := t.find(ctx); err != nil {
		return err
	}
	p, _, _, err := t.look(ctx)
	switch {
	case err != nil:
		return err
	case p.dir == "":
		return fault.NoSession(t.container.String(), errors.New("there has been none in this container, or its helper was of another release"))
	}
	command := []string{"sh", "-c", `exec "$@" 2>&1`, "sh", p.helper, "logs", "--dir", path.Join(p.dir, sessionFolder)}
	if follow {
		command = append(command, "--follow")
	}
	if err := t.container.Exec(ctx, command, nil, to); err != nil {
		return fault.NoSession(t.container.String(), err)
	}
	return nil
}

// clean removes what was uploaded, and says from where. While a session is there it has
// a folder of its own, and nothing is removed.
const clean = `folder=$1; session=$2; shift 2
for d; do
  f=$d/$folder
  [ -d "$f" ] || continue
  if ls -d "$f/$session"/envoydbg-* >/dev/null 2>&1; then echo "busy $f"; continue; fi
  rm -rf "$f" && echo "gone $f"
done
echo "` + helper.EndMark + `"`

// Clean removes the helper and lldb-server from the container, and returns the folders
// that are gone. It is refused while a session is there.
func (t *Target) Clean(ctx context.Context) (gone []string, err error) {
	if err := t.find(ctx); err != nil {
		return nil, err
	}
	text, err := t.script(ctx, clean, nil, append([]string{folder, sessionFolder}, t.where()...)...)
	if err != nil {
		return nil, t.execFault(err)
	}
	for _, line := range strings.Split(text, "\n") {
		switch word, dir, _ := strings.Cut(line, " "); word {
		case "gone":
			gone = append(gone, dir)
		case "busy":
			return gone, fault.InUse(dir)
		}
	}
	return gone, nil
}
