package main

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// keeper runs one part and, as a service manager would, runs it again when it has
// ended.
type keeper struct {
	part
	log string // file

	mu      sync.Mutex
	wanted  bool
	process *os.Process   // nil between an end and the next start
	ended   chan struct{} // closed when process has ended
	changed chan struct{}
	starts  int
}

func newKeeper(p part, log string) *keeper {
	return &keeper{part: p, log: log, changed: make(chan struct{}, 1)}
}

// keep runs the part while it is wanted. It never returns.
func (k *keeper) keep() {
	for {
		k.mu.Lock()
		wanted := k.wanted
		k.mu.Unlock()
		if !wanted {
			<-k.changed
			continue
		}
		began := time.Now()
		if err := k.once(); err != nil {
			k.note("%v", err)
		}
		// A part that cannot run is not to fill the log.
		if time.Since(began) < time.Second {
			time.Sleep(time.Second)
		}
	}
}

// once runs the part until it ends.
func (k *keeper) once() error {
	log, err := os.OpenFile(k.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(k.command[0], k.command[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	k.mu.Lock()
	if !k.wanted {
		k.mu.Unlock()
		return nil
	}
	k.starts++
	if err = cmd.Start(); err == nil {
		k.process, k.ended = cmd.Process, make(chan struct{})
	}
	k.mu.Unlock()
	if err != nil {
		return err
	}
	err = cmd.Wait()
	k.mu.Lock()
	k.process = nil
	close(k.ended)
	k.mu.Unlock()
	return fmt.Errorf("ended: %w", err)
}

// want says whether the part is to run, and kill ends it first.
func (k *keeper) want(wanted, kill bool) error {
	k.mu.Lock()
	k.wanted = wanted
	var err error
	var ended chan struct{}
	if kill && k.process != nil {
		err, ended = k.process.Signal(syscall.SIGKILL), k.ended
	}
	k.mu.Unlock()
	select {
	case k.changed <- struct{}{}:
	default:
	}
	if err != nil || ended == nil {
		return err
	}
	select {
	case <-ended:
		return nil
	case <-time.After(5 * time.Second):
		return fmt.Errorf("%s has not ended after SIGKILL", k.name)
	}
}

// String is the part's line in `cluster status`.
func (k *keeper) String() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	state := "stopped"
	switch {
	case k.process != nil:
		state = fmt.Sprintf("runs (pid %d in the cluster)", k.process.Pid)
	case k.wanted:
		state = "about to start again"
	}
	return fmt.Sprintf("%-24s %s, started %d times", k.name, state, k.starts)
}

func (k *keeper) note(format string, a ...any) {
	log, err := os.OpenFile(k.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer log.Close()
	fmt.Fprintf(log, "cluster: "+format+"\n", a...)
}
