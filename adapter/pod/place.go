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

// probe finds the machine, the folder that has the machine's helper already, and the
// folders that may be written to. $1 and $2 are the helper's names for each machine,
// then come the places.
const probe = `case $(uname -m) in x86_64) name=$1;; aarch64) name=$2;; *) name=none;; esac; shift 2
echo "machine $(uname -m)"
for d; do
  if [ -x "$d/` + folder + `/$name" ]; then echo "have $d/` + folder + `"; break; fi
done
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
	var none placed
	there, b, options, err := t.look(ctx)
	if err != nil || there != none {
		return there, err
	}
	var why []string
	for _, o := range options {
		if o.fs == "tmpfs" || o.fs == "ramfs" {
			why = append(why, o.dir+": it is memory, which counts against the container's limit")
			continue
		}
		if o.free < 2*int64(len(b.content)) {
			why = append(why, fmt.Sprintf("%s: %s are free", o.dir, megabytes(o.free)))
			continue
		}
		dir := path.Join(o.dir, folder)
		if err := t.put(ctx, dir, b); err != nil {
			why = append(why, fmt.Sprintf("%s: %v", o.dir, err))
			continue
		}
		return placed{dir, path.Join(dir, b.name)}, nil
	}
	return none, fault.NoPlace(t.container.String(), t.where(), why)
}

// binary is a helper to upload.
type binary struct {
	content []byte
	sum     string // SHA-256 in hex
	name    string
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
	b := &binary{content: content, sum: hex.EncodeToString(sum[:])}
	b.name = "helper-" + b.sum[:16]
	return b, nil
}

// option is a folder in the container that may be written to.
type option struct {
	dir, fs string
	free    int64 // bytes
}

// look finds the helper in the container; where it is not, there is empty, and b is the
// one to bring into one of the options.
func (t *Target) look(ctx context.Context) (there placed, b *binary, options []option, err error) {
	binaries := map[string]*binary{"x86_64": {name: "none"}, "aarch64": {name: "none"}}
	for machine, arch := range map[string]string{"x86_64": "amd64", "aarch64": "arm64"} {
		if b, err := readBinary(t.HelperDir, arch); err == nil {
			binaries[machine] = b
		}
	}
	text, err := t.script(ctx, probe, nil, append([]string{binaries["x86_64"].name, binaries["aarch64"].name}, t.where()...)...)
	if err != nil {
		return there, nil, nil, t.execFault(err)
	}
	machine := ""
	for _, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "machine":
			machine = rest
		case "have":
			there.dir = rest
		case "place":
			var o option
			if _, err := fmt.Sscanf(rest, "%s %d %s", &o.fs, &o.free, &o.dir); err == nil {
				options = append(options, o)
			}
		}
	}
	b = binaries[machine]
	if b == nil || b.content == nil {
		return placed{}, nil, nil, fault.NoHelper("envoydbg-helper-linux for "+machine, errors.New("the node of the container needs it"))
	}
	if there.dir != "" {
		there.helper = path.Join(there.dir, b.name)
	}
	return there, b, options, nil
}

func (t *Target) put(ctx context.Context, dir string, b *binary) error {
	_, err := t.script(ctx, put, bytes.NewReader(b.content), dir, b.name, b.sum)
	return err
}

// errLost: the script did not come to its end, and nothing says why.
var errLost = errors.New("the connection to the container was lost")

// script runs a shell script with arguments and returns what it printed before the end
// mark.
func (t *Target) script(ctx context.Context, text string, stdin io.Reader, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, execTime)
	defer cancel()
	return t.run(ctx, append([]string{"sh", "-c", text, "sh"}, args...), stdin)
}

// run runs a command that prints the end mark, and returns what it printed before.
func (t *Target) run(ctx context.Context, command []string, stdin io.Reader) (string, error) {
	var out bytes.Buffer
	err := t.container.Exec(ctx, command, stdin, &out)
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
