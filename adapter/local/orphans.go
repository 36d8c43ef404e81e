package local

import (
	"errors"
	"time"

	"github.com/envoydbg/envoydbg/internal/process"
	"github.com/envoydbg/envoydbg/internal/tempdir"
)

// orphanTime bounds the end of what a dead helper has left behind.
const orphanTime = 2 * time.Second

// orphans ends what a helper on this machine has started when the helper itself no
// longer can: each program is started in a session (in the kernel's sense) of its
// own.
type orphans struct {
	sessions process.Sessions
	dir      string // the helper's folder
}

// add notes a program that the helper has started.
func (o *orphans) add(pid int) {
	_ = o.sessions.Add(pid) // it may have ended already, and the helper knows
}

// end kills what is left and removes the folder. The error says what could not be
// ended, or why that is not known.
func (o *orphans) end() error {
	err := o.sessions.Kill(time.Now().Add(orphanTime))
	if o.dir == "" { // the helper died before it told where its folder is
		tempdir.Sweep(tempdir.Places())
		return err
	}
	return errors.Join(err, tempdir.Remove(o.dir))
}
