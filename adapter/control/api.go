package control

import (
	"context"

	"github.com/envoydbg/envoydbg/adapter/fault"
	"github.com/envoydbg/envoydbg/kube"
	"github.com/envoydbg/envoydbg/sourcemap"
)

// Backend is what the extension can ask for. This interface is the description of the
// protocol: each method is a request of its name, with a small first letter; what it takes
// is the request's params, and what it returns its result. extension/src/backend/protocol.ts
// is generated from it.
//
// A request that is cancelled ($/cancelRequest) ends its context, and what it has begun is
// undone as by Ctrl-C at the command of the same name. An error is a *fault.Fault.
type Backend interface {
	// Contexts lists the contexts of the kubeconfig.
	Contexts(context.Context, Cluster) (Contexts, error)
	// Sidecars lists the containers with an Envoy, in one namespace or in all.
	Sidecars(context.Context, SidecarsParams) (Sidecars, error)
	// Doctor checks whether a session with this configuration would work.
	Doctor(context.Context, Configuration) (Findings, error)
	// Debuggers looks for the LLDBs of this machine, the newest first.
	Debuggers(context.Context, None) (Debuggers, error)
	// Program looks at a local Envoy.
	Program(context.Context, ProgramParams) (Program, error)
	// SourceMap says where the source files of a program are on this machine.
	SourceMap(context.Context, ProgramParams) (sourcemap.Report, error)
	// Hold holds a sidecar, and returns when it waits.
	Hold(context.Context, HoldParams) (HeldObject, error)
	// Release gives back what is held.
	Release(context.Context, ReleaseParams) (Released, error)
	// Held lists what is held in the cluster.
	Held(context.Context, Cluster) (HeldList, error)
	// Request sends HTTP requests from a pod's application.
	Request(context.Context, RequestParams) (Responses, error)
	// Open makes ready for a debug session: it waits for one client of the Debug Adapter
	// Protocol on the socket that it returns, for half a minute.
	Open(context.Context, OpenParams) (Opened, error)
	// DropStandBy ends the lldb-dap that stands by: the user wants none.
	DropStandBy(context.Context, None) (None, error)
}

// Listener is told what the backend has to say by itself: notifications, described as the
// requests are.
type Listener interface {
	// Log is a line for the extension's log.
	Log(LogEntry)
	// Progress says how far a request is; its token is the request's id.
	Progress(ProgressNote)
	// StandBy says which lldb-dap stands by for the window's next session, each time that
	// this changes.
	StandBy(StandBy)
}

// None is the params or the result of a request that has none.
type None struct{}

// Hello is the params of the first request, initialize.
type Hello struct {
	// Version is the extension's, from its package.json.
	Version string `json:"version"`
	// Folders are the paths of the window's workspace folders.
	Folders []string `json:"folders"`
}

// Welcome is the result of initialize.
type Welcome struct {
	// Version is the backend's: "0.1.0+1f2e3d4".
	Version string `json:"version"`
}

// Cluster says how a cluster is reached, as kubectl's flags do; what is empty is as kubectl
// has it.
type Cluster struct {
	Namespace    string   `json:"namespace,omitempty"`
	Context      string   `json:"context,omitempty"`
	Kubeconfig   string   `json:"kubeconfig,omitempty"`
	KubectlFlags []string `json:"kubectlFlags,omitempty"`
}

// Contexts are those of the kubeconfig.
type Contexts struct {
	Contexts []Context `json:"contexts"`
	// Current is the name of the one in use; empty for none.
	Current string `json:"current,omitempty"`
}

// Context is one of a kubeconfig.
type Context struct {
	Name      string `json:"name"`
	Cluster   string `json:"cluster"`
	Namespace string `json:"namespace,omitempty"`
}

// SidecarsParams ask for the sidecars of a cluster.
type SidecarsParams struct {
	Cluster
	// AllNamespaces asks for those of every namespace that the user may list.
	AllNamespaces bool `json:"allNamespaces,omitempty"`
}

// Sidecars are those found, by namespace, workload and pod.
type Sidecars struct {
	Sidecars []Sidecar `json:"sidecars"`
	// Namespace is the only one that was looked at; empty for all.
	Namespace string `json:"namespace,omitempty"`
}

// Sidecar is a container with an Envoy.
type Sidecar struct {
	Namespace string `json:"namespace"`
	// Target is what a launch configuration names: "statefulset/fortio-server", or
	// "pod/NAME" where the pod has no workload or is the only held one.
	Target    string `json:"target"`
	Pod       string `json:"pod"`
	Container string `json:"container"`
	// State is "running" (Envoy was started with the pod), "held" (it waits for a
	// session), or what the kubelet says of one that does not run.
	State string `json:"state"`
	// Who holds it.
	Who string `json:"who,omitempty"`
}

// Configuration is a launch configuration, as VS Code has substituted it.
type Configuration struct {
	// Attributes are those of launch.json.
	Attributes map[string]any `json:"attributes"`
	// Folder is the workspace folder; LLDBDap the setting, for a configuration that
	// names none.
	Folder  string `json:"folder,omitempty"`
	LLDBDap string `json:"lldbDap,omitempty"`
}

// Findings are the outcomes of doctor's checks, in their order.
type Findings struct {
	Findings []Finding `json:"findings"`
	// Failed says that a session would not work.
	Failed bool `json:"failed"`
}

// Finding is one outcome, and what its fix is to an editor.
type Finding struct {
	kube.Finding
	// Command is the fix where it is one to paste into a terminal.
	Command string `json:"command,omitempty"`
	// Attribute is the launch attribute that the fix changes.
	Attribute string `json:"attribute,omitempty"`
}

// Debuggers are the LLDBs found, the one that a session would take first.
type Debuggers struct {
	Debuggers []Debugger `json:"debuggers"`
}

// Debugger is an lldb-dap.
type Debugger struct {
	Path    string `json:"path"`
	Version string `json:"version,omitempty"`
	// Problem says why it cannot be used.
	Problem string `json:"problem,omitempty"`
}

// ProgramParams name a local ELF file and what its sources are looked up by.
type ProgramParams struct {
	Program   string      `json:"program"`
	WorkTree  string      `json:"workTree,omitempty"`
	SourceMap [][2]string `json:"sourceMap,omitempty"`
	// Folder is the workspace folder, for a program that tells no work tree.
	Folder string `json:"folder,omitempty"`
}

// Program is what a local ELF file is.
type Program struct {
	Path    string `json:"path"`
	BuildID string `json:"buildId,omitempty"`
	// Machine is "amd64" or "arm64".
	Machine  string `json:"machine"`
	Symbols  bool   `json:"symbols"`
	DWARF    bool   `json:"dwarf"`
	WorkTree string `json:"workTree,omitempty"`
}

// HoldParams say what to hold.
type HoldParams struct {
	Cluster
	Target    string `json:"target"`
	Container string `json:"container,omitempty"`
	// Workload holds the workload's next pods in place of a copy.
	Workload bool `json:"workload,omitempty"`
	// Application is "run" or "wait", as the launch attribute.
	Application string `json:"application,omitempty"`
}

// ReleaseParams say what to give back: the object or target of that name, or, without one,
// all that the user holds.
type ReleaseParams struct {
	Cluster
	Target string `json:"target,omitempty"`
}

// Released is what was given back.
type Released struct {
	Released []HeldObject `json:"released"`
}

// HeldList is what is held.
type HeldList struct {
	Held []HeldObject `json:"held"`
	// Notes say what could not be looked at.
	Notes []string `json:"notes,omitempty"`
}

// HeldObject is one thing that is held.
type HeldObject struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"` // as kubectl names it
	// Target is what it was made of, or the workload itself.
	Target    string `json:"target,omitempty"`
	Container string `json:"container,omitempty"`
	State     string `json:"state"`
	Who       string `json:"who,omitempty"`
	Since     string `json:"since,omitempty"` // RFC 3339
	Until     string `json:"until,omitempty"` // when the cluster ends it
	// Problem says why its record cannot be read.
	Problem string `json:"problem,omitempty"`
}

// RequestParams are those of "envoydbg request".
type RequestParams struct {
	Cluster
	Target    string `json:"target"`
	Container string `json:"container,omitempty"`
	// From is the application's container, where the pod has several.
	From   string `json:"from,omitempty"`
	URL    string `json:"url"`
	Method string `json:"method,omitempty"`
	// Headers are lines "NAME: VALUE".
	Headers     []string `json:"headers,omitempty"`
	Body        string   `json:"body,omitempty"`
	Count       int      `json:"count,omitempty"`
	Concurrency int      `json:"concurrency,omitempty"`
	// DebugImage is an image with a shell, for an application without one.
	DebugImage string `json:"debugImage,omitempty"`
	// RunAs is a user, or user and group: "1000:1000".
	RunAs string `json:"runAs,omitempty"`
}

// Responses are what has come back, in the order in which they came.
type Responses struct {
	From      string     `json:"from"`
	Responses []Response `json:"responses"`
	// Failure says why there are fewer than were asked for; what came before it is here.
	Failure *fault.Form `json:"failure,omitempty"`
	// Notes say what may have kept connections from Envoy.
	Notes []string `json:"notes,omitempty"`
}

// Response is one of them.
type Response struct {
	Status  string              `json:"status,omitempty"` // "200 OK"
	Headers map[string][]string `json:"headers,omitempty"`
	Body    string              `json:"body,omitempty"`
	// Envoy says that the connection went through the pod's Envoy; How is the proof.
	Envoy        bool    `json:"envoy"`
	How          string  `json:"how,omitempty"`
	Milliseconds float64 `json:"milliseconds"`
	Error        string  `json:"error,omitempty"`
}

// OpenParams say what a session cannot be told in the Debug Adapter Protocol before its
// debugger starts.
type OpenParams struct {
	// Folder is the workspace folder: relative paths are below it, and the debugger, and
	// an agent on this machine, start in it.
	Folder string `json:"folder,omitempty"`
	// LLDBDap is the setting, for a configuration that names none.
	LLDBDap string `json:"lldbDap,omitempty"`
	// Cold: no lldb-dap is to stand by for the next session, whatever its launch attributes
	// say.
	Cold bool `json:"cold,omitempty"`
	// Trace has the session's messages, packets and phases sent as log entries.
	Trace bool `json:"trace,omitempty"`
}

// Opened is where a session is ready.
type Opened struct {
	// Socket is the path of a unix socket that only this user can reach.
	Socket string `json:"socket"`
}

// LogEntry is a line of the log.
type LogEntry struct {
	// Level is "trace", "debug", "info", "warning" or "error".
	Level   string `json:"level"`
	Message string `json:"message"`
}

// The states of [StandBy].
const (
	StandByNone    = "none"
	StandByReading = "reading"
	StandByReady   = "ready"
)

// StandBy is the lldb-dap that stands by.
type StandBy struct {
	// State is "none", "reading" (it reads the symbols), or "ready".
	State string `json:"state"`
	// Program is the one whose symbols it has; empty for none.
	Program string `json:"program,omitempty"`
	// Memory is its anonymous memory in bytes, once it is ready.
	Memory int64 `json:"memory,omitempty"`
}

// ProgressNote says how far a request is.
type ProgressNote struct {
	Request string `json:"request"` // its id
	Message string `json:"message"`
}
