package pod

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/helper"
)

// placed says where in the container things are.
type placed struct {
	dir    string // the folder for what is uploaded, 0700
	helper string // the helper's path
	arch   string // Go's name of the machine
}

// Places are where a stock istio-proxy may write, best first. A folder that is memory
// counts against the container's limit, and one may not run programs from /dev/shm.
var Places = []string{"/var/lib/istio/data", "/etc/istio/proxy", "/var/run/secrets/istio", "/tmp", "/var/tmp"}

// folder is below one of the places.
const folder = ".envoydbg"

func (t *Target) where() []string {
	if t.Places != nil {
		return t.Places
	}
	return Places
}

// execTime bounds a command that does next to nothing. An exec can hang for minutes
// when the other side ends at a bad moment.
const execTime = 20 * time.Second

// Words of the helper's command line for which a session's helper has requests.
const (
	wordHas       = "has"
	wordVersionOf = "version-of"
)

// probe finds the machine, the folder that has the machine's helper already, all folders
// that were brought, and the places that may be written to. $1 and $2 are the helper's names for each machine,
// then come the places.
const probe = `case $(uname -m) in x86_64) name=$1;; aarch64) name=$2;; *) name=none;; esac; shift 2
echo "machine $(uname -m)"
for d; do
  if [ -x "$d/` + folder + `/$name" ]; then echo "have $d/` + folder + `"; break; fi
done
for d; do [ -d "$d/` + folder + `" ] && echo "folder $d/` + folder + `"; done
for d; do
  [ -d "$d" ] && [ -w "$d" ] || continue
  fs=$(stat -f -c %T "$d" 2>/dev/null)
  free=$(stat -f -c '%a %S' "$d" 2>/dev/null | { read a s; echo $((a * s)); })
  echo "place $fs $free $d"
done
echo "` + helper.EndMark + `"`

// put stores stdin as $1/$2 with the checksum $3, in one step: half a program is never
// seen. It reads all of stdin whatever happens.
const put = `mkdir -p -m 0700 "$1" && cat > "$1/$2.$$" || { cat > /dev/null; echo "cannot write $1"; exit 1; }
sum=$(sha256sum "$1/$2.$$"); sum=${sum%% *}
if [ "$sum" != "$3" ]; then rm -f "$1/$2.$$"; echo "checksum $sum"; exit 1; fi
chmod 0700 "$1/$2.$$" && mv "$1/$2.$$" "$1/$2" && "$1/$2" version && echo "` + helper.EndMark + `"`

// place brings the helper into the container, unless it is there.
func (t *Target) place(ctx context.Context) (placed, error) {
	there, found, err := t.look(ctx)
	switch {
	case err != nil || there.dir != "":
		return there, err
	case found == nil:
		return t.carry(ctx)
	}
	dir, err := t.store(ctx, t.container, found)
	return found.binary.in(dir), err
}

// binary is a helper to upload.
type binary struct {
	content []byte
	sum     string // SHA-256 in hex
	name    string
	arch    string // Go's name of the machine
}

// in is the helper in a folder of the container.
func (b *binary) in(dir string) placed { return placed{dir, path.Join(dir, b.name), b.arch} }

// machines have Go's names of the machines that `uname -m` tells.
var machines = map[string]string{"x86_64": "amd64", "aarch64": "arm64"}

// binaries are the helpers that this machine has, by what `uname -m` tells.
func (t *Target) binaries() map[string]*binary {
	all := map[string]*binary{}
	for machine, arch := range machines {
		if b, err := readBinary(t.HelperDir, arch); err == nil {
			all[machine] = b
		}
	}
	return all
}

func readBinary(dir, arch string) (*binary, error) {
	file, err := helper.FindBinary(dir, arch)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	b := &binary{content: content, sum: hex.EncodeToString(sum[:]), arch: arch}
	b.name = "helper-" + b.sum[:16]
	return b, nil
}

// option is a folder that may be written to.
type option struct {
	dir, fs string
	free    int64 // bytes
}

// survey is what the script probe has found.
type survey struct {
	binary  *binary // the one for the machine
	have    string  // the folder with that one in it
	folders []string
	options []option
}

// look finds the helper in the container. Where it is not, there is empty; found then
// says where it could go, and is nil where no shell is.
func (t *Target) look(ctx context.Context) (there placed, found *survey, err error) {
	found, err = t.survey(ctx, t.container, t.where())
	switch {
	case err != nil && t.container.NoProgram(err):
		there, err = t.lookWithoutShell(ctx)
		return there, nil, err
	case err != nil:
		return there, nil, t.execFault(err)
	case found.have != "":
		there = found.binary.in(found.have)
	}
	return there, found, nil
}

// survey looks at places by the shell of a container.
func (t *Target) survey(ctx context.Context, in Runner, places []string) (*survey, error) {
	names, binaries := []string{"none", "none"}, t.binaries()
	for i, machine := range []string{"x86_64", "aarch64"} { // the order of the script's
		if b := binaries[machine]; b != nil {
			names[i] = b.name
		}
	}
	text, err := script(ctx, in, probe, nil, append(names, places...)...)
	if err != nil {
		return nil, err
	}
	s := &survey{}
	machine := ""
	for _, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "machine":
			machine = rest
		case "have":
			s.have = rest
		case "folder":
			s.folders = append(s.folders, rest)
		case "place":
			var o option
			if _, err := fmt.Sscanf(rest, "%s %d %s", &o.fs, &o.free, &o.dir); err == nil {
				s.options = append(s.options, o)
			}
		}
	}
	if s.binary = binaries[machine]; s.binary == nil {
		return nil, fault.NoHelper("envoydbg-helper-linux for "+machine, errors.New("the node of the container needs it"))
	}
	return s, nil
}

// store brings the helper into the first place that takes it, and returns the folder.
func (t *Target) store(ctx context.Context, in Runner, found *survey) (dir string, err error) {
	var why []string
	b := found.binary
	for _, o := range found.options {
		if o.fs == "tmpfs" || o.fs == "ramfs" {
			why = append(why, o.dir+": it is memory, which counts against the container's limit")
			continue
		}
		if o.free < 2*int64(len(b.content)) {
			why = append(why, fmt.Sprintf("%s: %s are free", o.dir, megabytes(o.free)))
			continue
		}
		dir := path.Join(o.dir, folder)
		if _, err := script(ctx, in, put, bytes.NewReader(b.content), dir, b.name, b.sum); err != nil {
			why = append(why, fmt.Sprintf("%s: %v", o.dir, err))
			continue
		}
		return dir, nil
	}
	return "", fault.NoPlace(t.container.String(), t.where(), why)
}

// errLost: the command did not come to its end, and nothing says why.
var errLost = errors.New("the connection to the container was lost")

// script runs a shell script with arguments and returns what it printed before the end
// mark.
func script(ctx context.Context, in Runner, text string, stdin io.Reader, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, execTime)
	defer cancel()
	return run(ctx, in, append([]string{"sh", "-c", text, "sh"}, args...), stdin)
}

// ask runs the helper for a moment and returns what it printed before the end mark. The
// helper of a session looks by itself for what is there.
func (t *Target) ask(ctx context.Context, p placed, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, execTime)
	defer cancel()
	if t.session != nil && (args[0] == wordHas || args[0] == wordVersionOf) {
		r, err := t.session.Look(ctx, helper.LookParams{Program: args[1], Version: args[0] == wordVersionOf})
		return r.Version, err
	}
	return run(ctx, t.container, append([]string{p.helper}, args...), nil)
}

// run runs a command that prints the end mark, and returns what it printed before.
func run(ctx context.Context, in Runner, command []string, stdin io.Reader) (string, error) {
	var out bytes.Buffer
	err := in.Exec(ctx, command, stdin, &out)
	text, ended := strings.CutSuffix(strings.TrimSpace(out.String()), helper.EndMark)
	text = strings.TrimSpace(text)
	switch {
	case err == nil && !ended:
		return text, errLost
	case err != nil && text != "":
		return text, fmt.Errorf("%s: %w", text, err)
	}
	return text, err
}

// execFault is the fault of a first command that could not be run.
func (t *Target) execFault(err error) error {
	var f *fault.Fault
	if errors.As(err, &f) {
		return f
	}
	return fault.Exec(t.container.String(), err)
}
