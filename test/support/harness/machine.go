package harness

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/envoydbg/envoydbg/test/support/machine"
)

// In an arm64 machine in software everything takes some 20 times as long.
const (
	machineBound = 4 * time.Minute // of a story
	cleanWithin  = time.Minute     // of what a story leaves there
)

// theMachine is the one of the target Arm64, which all stories use, one after the other.
var theMachine *machine.Machine

// bootMachine boots it, with the helper that is in dir. The function that it returns ends it.
func bootMachine(dir string) (func(), error) {
	image, err := filepath.EvalSymlinks(filepath.Join(The.Root, "bin/tools/arm64"))
	if err != nil {
		return nil, fmt.Errorf("bin/tools/arm64 is missing: run make setup-arm64")
	}
	The.Sample, The.SampleDebug = machine.Envoy, filepath.Join(The.Root, "bin/tools/arm64-sample/envoy.debug")
	helper, err := build(dir, "envoydbg-helper-linux-arm64", "./adapter/helper/envoydbg-helper", "GOARCH=arm64")
	if err != nil {
		return nil, err
	}
	if theMachine, err = machine.Boot(context.Background(), image, dir); err != nil {
		return nil, err
	}
	end := func() { _ = theMachine.Close() }
	ctx, cancel := context.WithTimeout(context.Background(), cleanWithin)
	defer cancel()
	if err := theMachine.Prepare(ctx, helper); err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// machineVariables are those of test/support/machine/envoydbg.
func machineVariables() []string {
	return []string{"MACHINE_SOCKET=" + theMachine.Socket, "MACHINE_DIR=" + machineDir}
}

// inMachine are the attributes that debug the sample in the machine, under an agent with
// this environment.
func (a Attributes) inMachine(env map[string]string) Attributes {
	return a.With("target", "pod/arm64").With("envoyPath", machine.Envoy).
		With("agent", map[string]any{"command": []string{machine.Agent, "proxy", "sidecar", "--proxyLogLevel", "info"}, "env": env, "cwd": machine.Home})
}

// machineDir is the helper's folder there.
const machineDir = "/tmp/envoydbg"

// machineIsClean fails the story unless its processes there end in time, and its folder
// goes.
func (s *Story) machineIsClean() {
	s.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), cleanWithin)
	defer cancel()
	for {
		left, err := theMachine.Processes(ctx)
		if err == nil && len(left) == 0 {
			break
		}
		if err != nil || ctx.Err() != nil {
			s.T.Errorf("processes left in the machine: %v (%v)", left, err)
			break
		}
	}
	if out, err := theMachine.Shell(ctx, "ls -A /tmp /run"); err != nil || strings.Contains(out, "envoydbg") {
		s.T.Errorf("left in the machine: %s (%v)", out, err)
	}
	if s.T.Failed() {
		console, _ := os.ReadFile(theMachine.Console)
		s.T.Logf("the machine's console:\n%s", console)
	}
}
