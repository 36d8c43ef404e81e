package command

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/adapter/pod"
	"github.com/envoydbg/envoydbg/kube"
)

// doctorFlags are the flags of doctor; those of run have the same names.
type doctorFlags struct {
	pod                                      podFlags
	output                                   string
	dap, server                              string
	program, envoyPath, workTree, debugImage string
	// folder is below what a program that tells no work tree has its sources; "" for where
	// this process is.
	folder string
}

func doctorCommand() *cobra.Command {
	var f doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor [TARGET]",
		Short: "Check whether an Envoy can be debugged",
		Long: `Doctor checks whether a session would work, and changes nothing. TARGET is a pod or
workload, as kubectl takes it: doctor looks at the programs on this machine, the API
server, your permissions, the pod and its container, and whether --program is the Envoy
in it. Without TARGET it looks at this machine alone.

docs/doctor.md explains each check.

Exit codes: 0 when a session can work, warnings or not; 1 when a check has failed; 2 for
a wrong command line.`,
		Example: `  envoydbg doctor statefulset/fortio-server -n demo --program ./bazel-bin/envoy
  envoydbg doctor pod/fortio-server-0 -o json
  envoydbg doctor`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			print, err := printerOf(f.output, findings)
			if err != nil {
				return err
			}
			if err := exists("--work-tree", f.workTree); err != nil {
				return err
			}
			ctx, stop := untilInterrupted(cmd)
			defer stop()
			e := &examination{flags: &f}
			if len(args) == 1 {
				e.ofPod(ctx, args[0])
			} else {
				e.ofThisMachine(ctx)
			}
			if err := print(cmd.OutOrStdout(), e.found); err != nil {
				return fault.OutputLost(err)
			}
			if e.failed() || ctx.Err() != nil {
				return exit(exitError)
			}
			return nil
		},
		DisableFlagsInUseLine: true,
	}
	f.pod.add(cmd)
	flags := cmd.Flags()
	addOutput(flags, &f.output)
	flags.StringVar(&f.dap, "lldb-dap", "", "lldb-dap `program`")
	flags.StringVar(&f.server, "lldb-server", "", "lldb-server `program` (default: the one of lldb-dap's version)")
	flags.StringVar(&f.program, "program", "", "local Envoy `file` with symbols, to be compared with the pod's")
	flags.StringVar(&f.envoyPath, "envoy-path", "/usr/local/bin/envoy", "Envoy `file` that the agent starts")
	flags.StringVar(&f.workTree, "work-tree", "", "local source `folder` (default: the one that the program tells)")
	flags.StringVar(&f.debugImage, "debug-image", "", "`image` with a shell, for a container without one")
	return cmd
}

// examination does the checks, as far as each lets the next be done.
type examination struct {
	flags *doctorFlags
	found []kube.Finding
}

func (e *examination) add(f ...kube.Finding) { e.found = append(e.found, f...) }

func (e *examination) failed() bool {
	for _, f := range e.found {
		if f.State == kube.Failed {
			return true
		}
	}
	return false
}

// ofThisMachine checks what a session without a cluster needs.
func (e *examination) ofThisMachine(ctx context.Context) {
	e.programs(ctx)
	e.add(tracingHere(ctx))
	e.localProgram(ctx)
}

// ofPod checks what a session with a pod needs.
func (e *examination) ofPod(ctx context.Context, target string) {
	here := e.programs(ctx)
	local := e.localProgram(ctx)
	cluster, err := kube.Connect(e.flags.pod.kubectl)
	if err != nil {
		e.add(kube.Finding{Check: "kubeconfig", State: kube.Failed, What: err.Error(),
			Why: "it says where the cluster is and who you are", Fix: "kubectl config view"})
		return
	}
	reach := cluster.Reach()
	if e.add(reach); reach.State == kube.Failed {
		return
	}
	e.add(cluster.May(ctx, kube.Permissions(target)...)...)
	s, source, err := unheld(ctx, cluster, target, e.flags.pod.container)
	if err != nil {
		e.add(failure("pod", err))
		return
	}
	if source != nil {
		e.add(toBeHeld(source))
		e.add(cluster.May(ctx, kube.Copying()...)...)
	}
	if s == nil { // what a copy will be like cannot be seen before it is there
		return
	}
	e.add(podFound(s))
	if source == nil {
		e.add(s.Lifecycle(time.Now())...)
	}
	room, err := s.Inside(ctx, pod.Places, []string{proxySHA})
	if err != nil {
		if e.add(e.noShell(s, err)...); s.NoProgram(err) {
			e.add(cluster.May(ctx, kube.Ephemeral())...)
		}
		return
	}
	in := container{s}
	if source == nil {
		owner, err := pod.FindOwner(ctx, in, runsWith(room))
		e.add(sessionThere(s, owner, err), envoyThere(s, room, owner, filepath.Base(e.flags.envoyPath)))
	}
	e.add(nodeFits(room, here), room.Tracing())
	need, err := pod.Bytes(ctx, here.server, architecture(room.Machine))
	if err == nil {
		e.add(s.Space(room, need), room.Memory(memoryNeeded))
	}
	e.add(sameBuild(ctx, in, e.flags.envoyPath, room.Variables[proxySHA], local), sameCommit(ctx, room.Variables[proxySHA], local))
}

// failure is the finding of a fault.
func failure(check string, err error) kube.Finding {
	f := fault.From(err)
	return kube.Finding{Check: check, State: kube.Failed, What: strings.Join(append([]string{f.What}, f.Evidence...), " "), Fix: f.Do,
		Why: fmt.Sprintf("a session ends with this error (ED%d)", f.Code)}
}
