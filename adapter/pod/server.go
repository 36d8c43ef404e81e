package pod

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// ofContainer begins the name of an lldb-server that the container has.
const ofContainer = "container:"

// serverName is lldb-server as a program in PATH.
const serverName = "lldb-server"

// LLDBServer implements startup.Target. The one that is named is taken; else the
// container's own, if it is of lldb-dap's version; else the one of this machine is
// brought there, with the libraries that it needs.
func (t *Target) LLDBServer(ctx context.Context, wanted, dap string, v lldb.Version) (string, error) {
	if path, ok := strings.CutPrefix(wanted, ofContainer); ok {
		return path, nil
	}
	why := "it is the one that was named"
	if wanted == "" {
		own, there := t.ownServer(ctx)
		switch {
		case there && own.Major == v.Major:
			t.progress("lldb-server %s is the container's own, and of lldb-dap's version", own.Text)
			return serverName, nil
		case there:
			why = "the container's own is " + own.Text
		default:
			why = "the container has none"
		}
	}
	local, err := lldb.FindServer(wanted, dap, v)
	if err != nil {
		return "", err
	}
	if err := t.fits(ctx, local, v); err != nil {
		return "", err
	}
	t.progress("lldb-server comes from this machine: %s", why)
	path, err := t.uploadServer(ctx, local)
	if err != nil && ctx.Err() == nil {
		return "", fault.Upload(serverName, t.container.String(), err)
	}
	return path, err
}

// ownServer is the version of the lldb-server in the container's PATH.
func (t *Target) ownServer(ctx context.Context) (lldb.Version, bool) {
	ctx, cancel := context.WithTimeout(ctx, execTime)
	defer cancel()
	var out bytes.Buffer
	if err := t.container.Exec(ctx, []string{serverName, "version"}, nil, &out); err != nil {
		return lldb.Version{}, false
	}
	return lldb.ParseVersion(out.String())
}

// fits says whether an lldb-server of this machine is for the container's machine and of
// lldb-dap's version. What it does not know is left to the upload.
func (t *Target) fits(ctx context.Context, server string, v lldb.Version) error {
	if info, err := elfinfo.Read(server); err == nil && info.Machine != t.placed.arch {
		return fault.ServerMachine(server, info.Machine, t.container.String(), t.placed.arch)
	}
	ctx, cancel := context.WithTimeout(ctx, execTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, server, "version").Output()
	if version, ok := lldb.ParseVersion(string(out)); err == nil && ok && version.Major != v.Major {
		return fault.ServerVersion(server, version.Text, v.Text, fmt.Sprintf("lldb-server-%d", v.Major))
	}
	return nil
}
