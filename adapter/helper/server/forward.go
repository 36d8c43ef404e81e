//go:build linux

package server

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/envoydbg/envoydbg/adapter/helper"
	"github.com/envoydbg/envoydbg/adapter/helper/forward"
	"github.com/envoydbg/envoydbg/internal/process"
)

// forwardMain makes connections from here for whoever is at the other end of stdin and
// stdout, as another user if one is named. All ends with that stream.
func forwardMain(args []string, version string) (int, error) {
	survivePipes()
	set := flag.NewFlagSet(wordForward, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	uid := set.Int("uid", -1, "")
	gid := set.Int("gid", -1, "")
	err := set.Parse(args)
	if err == nil {
		err = become(*uid, *gid)
	}
	if err != nil {
		return conclude(helper.Status{}, err)
	}
	if err := helper.WriteStatus(os.Stdout, helper.Status{Version: version}); err != nil {
		return 1, err
	}
	in, err := take(0, "stdin")
	if err != nil {
		return 1, err
	}
	out, err := take(1, "stdout")
	if err != nil {
		return 1, err
	}
	return codeOfError(forward.Serve(stdio{in, out}, envoysHere))
}

// become changes the user and the group of the process; -1 leaves one as it is.
func become(uid, gid int) error {
	if uid < 0 && gid < 0 {
		return nil
	}
	if uid >= 0 && gid < 0 {
		gid = uid // as Istio gives its own user, and most images theirs
	}
	var err error
	if os.Geteuid() == 0 {
		err = syscall.Setgroups(nil)
	}
	if gid >= 0 && gid != os.Getgid() {
		err = errors.Join(err, syscall.Setresgid(gid, gid, gid))
	}
	if uid >= 0 && uid != os.Getuid() {
		err = errors.Join(err, syscall.Setresuid(uid, uid, uid))
	}
	if err != nil {
		return problem(helper.ProblemRights, "user %d, group %d cannot become user %d, group %d: %v", os.Getuid(), os.Getgid(), uid, gid, err)
	}
	return nil
}

// envoysHere are the agents and Envoys whose processes can be seen. One that ends
// meanwhile is left out.
func envoysHere(inode uint64) (agents int, found []forward.Envoy, err error) {
	all, err := agentsAndEnvoys(0)
	if err != nil {
		return 0, nil, err
	}
	for _, p := range all {
		if strings.HasSuffix(p.Args[0], "pilot-agent") {
			agents++
			continue
		}
		status, err := process.ReadStatus(p.PID)
		if err != nil {
			continue
		}
		found = append(found, forward.Envoy{PID: p.PID, Program: p.Args[0], Tracer: status.Tracer(),
			Stopped: threadsAre(p.PID, "Tt"), Has: inode != 0 && hasSocket(p.PID, inode)})
	}
	return agents, found, nil
}

// hasSocket says whether a process has a descriptor of a socket.
func hasSocket(pid int, inode uint64) bool {
	dir := "/proc/" + itoa(pid) + "/fd"
	names, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	want := fmt.Sprintf("socket:[%d]", inode)
	buffer := make([]byte, 64)
	for _, n := range names {
		if k, err := unix.Readlink(filepath.Join(dir, n.Name()), buffer); err == nil && string(buffer[:k]) == want {
			return true
		}
	}
	return false
}
