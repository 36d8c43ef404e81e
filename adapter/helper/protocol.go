package helper

// Protocol is the version of the conversation below. The adapter refuses a
// helper that answers [MethodHello] with another one.
const Protocol = 6

// The adapter and the helper share one byte stream (a child's stdio, or an
// exec into a pod) multiplexed by yamux: the adapter is the yamux client.
//
//   - The first stream the adapter opens is the control stream: JSON-RPC 2.0
//     with the framing of jsonrpc2.VSCodeObjectCodec, both sides may notify.
//   - Every further stream begins with one JSON line, a [StreamHeader], which
//     the helper answers with one JSON line, a [StreamReply]. What follows
//     depends on the header's Kind: the bytes of a debug server, to which a companion
//     may add its own, or the output of the agent (output.go).
const (
	// MethodHello: [HelloParams] → [HelloResult]. The first request.
	MethodHello = "hello"
	// MethodInspect: [InspectParams] → [InspectResult]. Reads an ELF beside Envoy.
	MethodInspect = "inspect"
	// MethodLook: [LookParams] → [LookResult]. Looks for a program beside Envoy.
	MethodLook = "look"
	// MethodPlatformStart: [PlatformStartParams] → [PlatformStartResult].
	MethodPlatformStart = "platform/start"
	// MethodPlatformConnect: [PlatformConnectParams] → [PlatformConnectResult]. Takes a
	// platform that somebody has started by hand, in place of MethodPlatformStart.
	MethodPlatformConnect = "platform/connect"
	// MethodServerState: [ServerStateParams] → [ServerStateResult].
	MethodServerState = "server/state"
	// MethodAgentStart: [AgentStartParams] → [AgentStartResult].
	MethodAgentStart = "agent/start"
	// MethodProcess: [ProcessParams] → [ProcessResult].
	MethodProcess = "process"
	// MethodKeepStopped: no params → null. Ends the debug servers; what they keep stopped,
	// without breakpoints in it, stays so.
	MethodKeepStopped = "keep/stopped"
	// MethodRelease: no params → [ReleaseResult]. Lets the agent and Envoy go: the
	// helper does not end them when its stream ends, and stays to read their output
	// until they have ended by themselves. After [MethodKeepStopped] Envoy is stopped
	// then, and waits for somebody to let it run on.
	MethodRelease = "release"
	// MethodEndHeld: no params → null. Kills what a debugger keeps stopped, where
	// it stands: let go, it would run on until it sees a signal.
	MethodEndHeld = "end/held"
	// MethodEnd: no params → [EndResult]. Ends everything the helper started.
	MethodEnd = "end"
)

// EndMark is the last line of commands of the helper that are run by themselves. The
// end of a lost connection looks like success; this does not.
const EndMark = "envoydbg: done"

// Notifications, helper → adapter.
const (
	// NotifyGate: [GateParams], the state of the gate changed.
	NotifyGate = "gate/state"
	// NotifyExit: [ExitParams], a process the helper started has ended.
	NotifyExit = "process/exit"
)

// Error codes of JSON-RPC error objects that the adapter tells apart.
const (
	CodeNotFound     = 1 // a file or program does not exist
	CodePermission   = 2 // not permitted
	CodeNotELF       = 3 // the file is no ELF, or a broken one
	CodeStartFailed  = 4 // a program could not be started, or died at once
	CodeBusy         = 5 // an agent of this session is already running
	CodeEnvoyRunning = 6 // without the gate: an Envoy of that name is running already
	CodePtrace       = 7 // the kernel refuses ptrace; the error's data is a [Refusal]
	CodeUnreached    = 8 // nobody listens at an address, or it cannot be reached
	CodeNoPlatform   = 9 // what listens at an address is no lldb-server platform
)

// Refusal says why the debug server may not trace Envoy, and the one thing to do
// about it, both in words for the user.
type Refusal struct {
	Why string `json:"why"` // no full stop at its end
	Do  string `json:"do"`
}

// HelloParams opens the session.
type HelloParams struct {
	Protocol int `json:"protocol"`
	// Session names the debug session: 8 lower-case hex digits. It is part of
	// the gate's name.
	Session string `json:"session"`
}

// HelloResult says who answers.
type HelloResult struct {
	Protocol int    `json:"protocol"`
	Version  string `json:"version"`
	Arch     string `json:"arch"` // GOARCH
	PID      int    `json:"pid"`
	UID      int    `json:"uid"`
	// Dir is the session's folder beside Envoy, which the helper removes.
	Dir string `json:"dir"`
	// Lease is how long, in milliseconds, the helper and all it has started live
	// without a client; 0 where they end with the stream.
	Lease int64 `json:"lease,omitempty"`
}

// InspectParams names a file beside Envoy. A Path without a slash is looked up
// in PATH.
type InspectParams struct {
	Path string `json:"path"`
}

// InspectResult describes an ELF.
type InspectResult struct {
	Path    string `json:"path"` // absolute, symbolic links resolved
	Size    int64  `json:"size"` // bytes
	BuildID string `json:"buildId"`
	Machine string `json:"machine"` // GOARCH of the ELF
	Symbols bool   `json:"symbols"` // has .symtab
	DWARF   bool   `json:"dwarf"`   // has .debug_info or .debug_line (or compressed)
}

// LookParams names a program beside Envoy. Without a slash it is looked up in PATH.
type LookParams struct {
	Program string `json:"program"`
	// Version asks the program for its version, too.
	Version bool `json:"version,omitempty"`
}

// LookResult is the program that was found; an error of [CodeNotFound] or
// [CodePermission] says that there is none that may be run.
type LookResult struct {
	Path string `json:"path"` // absolute
	// Version is what it prints of it.
	Version string `json:"version,omitempty"`
}

// PlatformStartParams starts `lldb-server platform` on a unix socket in the
// session's folder, in a process group of its own.
type PlatformStartParams struct {
	// LLDBServer is the path of lldb-server, or its name in PATH.
	LLDBServer string `json:"lldbServer"`
}

// PlatformStartResult says where the platform answers. Socket is reached
// by a stream of kind [StreamDial].
type PlatformStartResult struct {
	PID     int    `json:"pid"`
	Socket  string `json:"socket"`
	Version string `json:"version"` // e.g. "19.1.7"
}

// PlatformConnectParams names a platform that listens already.
type PlatformConnectParams struct {
	// Address is HOST:PORT, as it is reached from where the helper runs.
	Address string `json:"address"`
	// Awaited is the name that the session's debug server will wait for.
	Awaited string `json:"awaited"`
}

// PlatformConnectResult describes that platform. It is reached by a stream of kind
// [StreamDial] whose Socket is [ByHandScheme] and the address.
type PlatformConnectResult struct {
	Version string `json:"version"` // e.g. "19.1.7"; empty when it is not known
	Machine string `json:"machine"` // GOARCH
	// Processes: it sees the processes of the helper's PID namespace. Seen is what it
	// sees in the helper's place.
	Processes bool   `json:"processes"`
	Seen      string `json:"seen"`
	// Files: it sees the helper's files.
	Files bool `json:"files"`
}

// ByHandScheme begins the name of a debug server that listens at an address, where others
// have that of a socket.
const ByHandScheme = "connect://"

// ServerStateParams asks what a gdbserver forked by the platform is doing.
type ServerStateParams struct {
	PID int `json:"pid"`
	// Wait in milliseconds: for how long to look until it polls.
	Wait int64 `json:"wait,omitempty"`
}

// ServerStateResult: Polling is true while the process sleeps in
// clock_nanosleep, as lldb-server does between two scans for the awaited name.
type ServerStateResult struct {
	Alive   bool   `json:"alive"`
	Polling bool   `json:"polling"`
	Detail  string `json:"detail"` // e.g. "clock_nanosleep", or why it cannot be read
}

// AgentStartParams starts the agent, which starts Envoy.
type AgentStartParams struct {
	Command []string `json:"command"`
	// Expand replaces $(NAME) in Command by the value of the variable in the agent's
	// environment, as Kubernetes does in a container's command.
	Expand bool              `json:"expand,omitempty"`
	Env    map[string]string `json:"env"` // added to the helper's own environment
	Cwd    string            `json:"cwd"`
	// EnvoyPath is the Envoy the agent would start; the gate execs it.
	EnvoyPath string `json:"envoyPath"`
	// Gate leads the agent to the gate when it starts Envoy: by the binaryPath of
	// PROXY_CONFIG, by a folder in front of PATH, and in the agent's own place when
	// Command is EnvoyPath. The gate waits under the base name [GateBase], which
	// exists from the moment it waits. Without Gate, Env goes to the agent as it is.
	Gate bool `json:"gate"`
	// GateTimeout in milliseconds: how long the gate waits to be traced.
	GateTimeout int64 `json:"gateTimeout"`
}

// AgentStartResult is returned as soon as the agent runs.
type AgentStartResult struct {
	PID int `json:"pid"`
}

// ProcessParams asks about any process beside Envoy.
type ProcessParams struct {
	PID int `json:"pid"`
}

// ProcessResult: Ours says whether the process descends from the agent (or is
// it); only such a process may be debugged, signalled or ended.
type ProcessResult struct {
	Alive     bool   `json:"alive"`
	Ours      bool   `json:"ours"`
	Exe       string `json:"exe"`
	TracerPID int    `json:"tracerPid"`
	// Query is what makes an Envoy with the arguments of this process answer a
	// question instead of serving, for example "--version"; empty for a start.
	Query string `json:"query,omitempty"`
}

// GateParams tells of the gate, and of what comes to it.
type GateParams struct {
	State GateState `json:"state"`
	PID   int       `json:"pid"`
	// Detail is for the user: a sentence for GateOpen and GateEnded, else why,
	// without a full stop; empty for GateWaiting. For GatePassed it is the path of
	// the program.
	Detail string `json:"detail,omitempty"`
	// Do is the one thing to do about it, a sentence, for GateRefused,
	// GateUnreachable and GateBypassed.
	Do string `json:"do,omitempty"`
}

// GateState is what has happened. After GatePassed the session has its Envoy.
// GateTimeout, GateFailed, GateRefused and GateBypassed are in the way of that; after
// the others the session goes on as it was.
type GateState string

const (
	// GateWaiting: PID waits at the gate for the debugger, the only one that does.
	GateWaiting GateState = "waiting"
	// GateOpen: PID has been let through and becomes Envoy without the debugger,
	// because it only asks Envoy something (--version, --mode validate) or because
	// another has passed before.
	GateOpen GateState = "open"
	// GateEnded: PID has ended while it waited; the next one takes its place.
	GateEnded GateState = "ended"
	// GatePassed: PID was traced and is now the real Envoy.
	GatePassed GateState = "passed"
	// GateTimeout: nobody traced PID, which has ended.
	GateTimeout GateState = "timeout"
	// GateFailed: PID could not become Envoy and has ended.
	GateFailed GateState = "failed"
	// GateRefused: PID waits, and the debug server may not trace it.
	GateRefused GateState = "refused"
	// GateUnreachable: PID is of the agent and of a user who cannot reach the gate.
	GateUnreachable GateState = "unreachable"
	// GateBypassed: PID is that Envoy, started without passing the gate. It may be
	// the agent itself.
	GateBypassed GateState = "bypassed"
)

// ExitParams: What is "agent" or "platform"; Status in words, as
// os.ProcessState prints it ("exit status 1", "signal: killed").
type ExitParams struct {
	What   string `json:"what"`
	PID    int    `json:"pid"`
	Status string `json:"status"`
	Code   int    `json:"code"` // -1 when ended by a signal
	// Stderr is the tail of what the platform wrote there; empty for the agent.
	Stderr string `json:"stderr,omitempty"`
	// Output counts the bytes that the helper had read from the agent by then,
	// on both streams, since the session began.
	Output int64 `json:"output,omitempty"`
}

// ReleaseResult names who was left.
type ReleaseResult struct {
	Agent int   `json:"agent"` // its end, by SIGTERM, ends Envoy
	PIDs  []int `json:"pids"`
	// Helper is the process that stays with them; its end, by SIGTERM, ends them all.
	Helper int `json:"helper"`
	// Stopped are those that do not run, and Lease is how long, in milliseconds, they
	// may stay so before all is ended.
	Stopped []int `json:"stopped,omitempty"`
	Lease   int64 `json:"lease,omitempty"`
}

// EndResult names what could not be ended.
type EndResult struct {
	Left []int `json:"left"` // PIDs still alive after the last SIGKILL
}

// Kinds of streams, in [StreamHeader].
const (
	StreamDial   = "dial"   // one connection to a debug server
	StreamOutput = "output" // what the agent and Envoy write; one for a session
)

// StreamHeader is the first line of every stream but the control stream.
type StreamHeader struct {
	Kind string `json:"kind"`
	// Socket is where [StreamDial] leads. It must lie in the session's folder, or
	// begin with [ByHandScheme] and be an address of the platform that was connected to.
	Socket string `json:"socket,omitempty"`
	// Companion, of a [StreamDial]: with one beside the server (folder companion).
	Companion bool `json:"companion,omitempty"`
}

// StreamReply is the helper's answer; Error is empty when the stream is ready.
type StreamReply struct {
	Error string `json:"error,omitempty"`
}

// GateBase is the base name, unique to the session, under which the gate
// runs and which the debug server waits for. It stays within the 15 bytes of
// the kernel's comm so that it reads the same everywhere.
func GateBase(session string) string { return "envoy-" + session }
