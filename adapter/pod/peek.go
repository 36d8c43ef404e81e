package pod

import (
	"context"
	"encoding/json"
	"path"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/bundle"
)

// Owner is who has the session of a container.
type Owner struct {
	Who   string    `json:"who"`
	Since time.Time `json:"since"`
	// PID is the helper's daemon, and Dir the session's folder, which it has among its
	// arguments.
	PID int    `json:"pid"`
	Dir string `json:"dir"`
	// State says whether it is a session, or what one has left.
	State helper.State `json:"state"`
}

// owners prints the locks of the places ($2, …) of the daemon, each in a line. $1 is where
// it is below a place.
const owners = `f=$1; shift
for d; do line=; IFS= read -r line 2>/dev/null < "$d/$f"; [ -n "$line" ] && echo "$line"; done
echo "` + helper.EndMark + `"`

// FindOwner says who has a session in a container, nil for nobody, and changes nothing:
// trying the lock would keep a session from its start. The lock outlives a daemon that was
// killed, so runs must say whether a process of that number has this word among its
// arguments.
func FindOwner(ctx context.Context, in Runner, runs func(pid int, word string) bool) (*Owner, error) {
	text, err := script(ctx, in, owners, nil, append([]string{path.Join(folder, sessionFolder, "session.lock")}, Places...)...)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(text) {
		var o Owner
		if json.Unmarshal([]byte(line), &o) == nil && o.Dir != "" && runs(o.PID, o.Dir) {
			return &o, nil
		}
	}
	return nil, nil
}

// Bytes is how much the first session with a container puts there: the helper for a
// machine of this architecture, and the lldb-server of this machine with its libraries.
func Bytes(ctx context.Context, server, arch string) (int64, error) {
	b, err := readBinary("", arch)
	if err != nil {
		return 0, err
	}
	n := 2 * int64(len(b.content)) // it is the wrapper of lldb-server, too
	if server == "" {
		return n, nil
	}
	files, err := bundle.Files(ctx, server)
	for _, f := range files {
		n += f.Bytes
	}
	return n, err
}
