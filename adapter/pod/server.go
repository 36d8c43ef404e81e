package pod

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os/exec"
	"path"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper/bundle"
	"github.com/envoydbg/envoydbg/adapter/helper/elfinfo"
	"github.com/envoydbg/envoydbg/adapter/lldb"
)

// ofContainer begins the name of an lldb-server that the container has.
const ofContainer = "container:"

// ofImage begins the name of an lldb-server that DebugImage has.
const ofImage = "image:"

// serverName is lldb-server as a program in PATH.
const serverName = "lldb-server"

// copyTime bounds a copy of some 280 MB from one container to another.
const copyTime = 2 * time.Minute

// LLDBServer implements startup.Target. The one that is named is taken; else the
// container's own, if it is of lldb-dap's version; else the one of this machine is
// brought there, with the libraries that it needs.
func (t *Target) LLDBServer(ctx context.Context, wanted, dap string, v lldb.Version) (string, error) {
	if path, ok := strings.CutPrefix(wanted, ofContainer); ok {
		return path, nil
	}
	if path, ok := strings.CutPrefix(wanted, ofImage); ok {
		return t.serverOfImage(ctx, path, v)
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

// serverOfImage brings an lldb-server from DebugImage into the container, unless it is
// there: a container of that image copies it with its libraries.
func (t *Target) serverOfImage(ctx context.Context, program string, v lldb.Version) (string, error) {
	sum := sha256.Sum256([]byte(t.DebugImage + "\x00" + program))
	dir := path.Join(t.placed.dir, "lldb-server-"+hex.EncodeToString(sum[:8]))
	server := path.Join(dir, bundle.Wrapper)
	if _, err := t.ask(ctx, t.placed, "has", server); err == nil {
		t.progress("lldb-server of %s was brought before", t.DebugImage)
		return server, nil
	}
	carrier, err := t.carrier(ctx, "lldb-server is brought into %s by a container of the image %s beside it.", t.beside(server))
	if err != nil {
		return "", err
	}
	bounded, cancel := context.WithTimeout(ctx, copyTime)
	defer cancel()
	fail := func(err error) (string, error) {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fault.Upload(program+" of "+t.DebugImage, t.container.String(), err)
	}
	said, err := run(bounded, carrier, []string{t.beside(t.placed.helper), "version-of", program}, nil)
	if err != nil {
		return fail(err)
	}
	if version, ok := lldb.ParseVersion(said); ok && version.Major != v.Major {
		return "", fault.ServerVersion(program+" of "+t.DebugImage, version.Text, v.Text, fmt.Sprintf("an image with lldb-server-%d", v.Major))
	}
	// The carrier may end before its command has told that all went well.
	_, err = run(bounded, carrier, []string{t.beside(t.placed.helper), "bundle", program, t.beside(dir), dir}, nil)
	if _, there := t.ask(bounded, t.placed, "has", server); there != nil {
		return fail(cmp.Or(err, there))
	}
	return server, nil
}

// ownServer is the version of the lldb-server in the container's PATH.
func (t *Target) ownServer(ctx context.Context) (lldb.Version, bool) {
	text, err := t.ask(ctx, t.placed, "version-of", serverName)
	if err != nil {
		return lldb.Version{}, false
	}
	return lldb.ParseVersion(text)
}

// fits says whether an lldb-server of this machine is for the container's machine and of
// lldb-dap's version. What it does not know is left to the upload.
func (t *Target) fits(ctx context.Context, server string, v lldb.Version) error {
	if info, err := elfinfo.Read(server); err == nil && info.Machine != t.placed.arch {
		return fault.ServerMachine(server, info.Machine, t.container.String(), t.placed.arch)
	}
	ctx, cancel := context.WithTimeout(ctx, execTime)
	defer cancel()
	out, err := exec.CommandContext(ctx, server, "version").CombinedOutput()
	if version, ok := lldb.ParseVersion(string(out)); err == nil && ok && version.Major != v.Major {
		return fault.ServerVersion(server, version.Text, v.Text, fmt.Sprintf("lldb-server-%d", v.Major))
	}
	return nil
}
