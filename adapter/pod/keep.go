package pod

import (
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// sessionFolder is below the folder of what was uploaded.
const sessionFolder = "session"

// Logs writes what the agent and Envoy of the running session have written, from the
// start as far as it was kept, and with follow what they write until they end.
func (t *Target) Logs(ctx context.Context, follow bool, to io.Writer) error {
	if err := t.find(ctx); err != nil {
		return err
	}
	p, _, err := t.look(ctx)
	switch {
	case err != nil:
		return err
	case p.dir == "":
		return fault.NoSession(t.container.String(), errors.New("there has been none in this container, or its helper was of another release"))
	}
	command := []string{p.helper, "logs", "--dir", path.Join(p.dir, sessionFolder)}
	if follow {
		command = append(command, "--follow")
	}
	if err := t.container.Exec(ctx, command, nil, to); err != nil {
		return fault.NoSession(t.container.String(), err)
	}
	return nil
}

// Clean removes the helper and lldb-server from the container, and returns the folders
// that are gone. It is refused while a session is there.
func (t *Target) Clean(ctx context.Context) (gone []string, err error) {
	if err := t.find(ctx); err != nil {
		return nil, err
	}
	p, found, err := t.look(ctx)
	if err != nil {
		return nil, err
	}
	folders := []string{p.dir}
	if found != nil {
		folders = found.folders
	}
	switch {
	case p.dir == "" && len(folders) == 0, p.dir == "" && found == nil:
		return nil, nil
	case p.dir == "": // of another release alone
		dir, err := t.store(ctx, t.container, found)
		if err != nil {
			return nil, err
		}
		if p = found.binary.in(dir); !slices.Contains(folders, dir) {
			folders = append(folders, dir)
		}
	}
	text, err := t.ask(ctx, p, append([]string{"clean", sessionFolder}, folders...)...)
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
