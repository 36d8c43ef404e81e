// Generated from adapter/control/api.go by `go generate ./adapter/control`.

/** The requests, by name. */
export interface Requests {
    /** The first request. */
    readonly initialize: { readonly params: Hello; readonly result: Welcome };
    /** Contexts lists the contexts of the kubeconfig. */
    readonly contexts: { readonly params: Cluster; readonly result: Contexts };
    /** Debuggers looks for the LLDBs of this machine, the newest first. */
    readonly debuggers: { readonly params: None; readonly result: Debuggers };
    /** Doctor checks whether a session with this configuration would work. */
    readonly doctor: { readonly params: Configuration; readonly result: Findings };
    /** DropStandBy ends the lldb-dap that stands by: the user wants none. */
    readonly dropStandBy: { readonly params: None; readonly result: None };
    /** Held lists what is held in the cluster. */
    readonly held: { readonly params: Cluster; readonly result: HeldList };
    /** Hold holds a sidecar, and returns when it waits. */
    readonly hold: { readonly params: HoldParams; readonly result: HeldObject };
    /**
     * Open makes ready for a debug session: it waits for one client of the Debug Adapter
     * Protocol on the socket that it returns, for half a minute.
     */
    readonly open: { readonly params: OpenParams; readonly result: Opened };
    /** Program looks at a local Envoy. */
    readonly program: { readonly params: ProgramParams; readonly result: Program };
    /** Release gives back what is held. */
    readonly release: { readonly params: ReleaseParams; readonly result: Released };
    /** Request sends HTTP requests from a pod's application. */
    readonly request: { readonly params: RequestParams; readonly result: Responses };
    /** Sidecars lists the containers with an Envoy, in one namespace or in all. */
    readonly sidecars: { readonly params: SidecarsParams; readonly result: Sidecars };
    /** SourceMap says where the source files of a program are on this machine. */
    readonly sourceMap: { readonly params: ProgramParams; readonly result: Report };
}

/** The notifications of the backend, by name. */
export interface Notifications {
    /** Log is a line for the extension's log. */
    readonly log: LogEntry;
    /** Progress says how far a request is; its token is the request's id. */
    readonly progress: ProgressNote;
    /**
     * StandBy says which lldb-dap stands by for the window's next session, each time that
     * this changes.
     */
    readonly standBy: StandBy;
}

/** Hello is the params of the first request, initialize. */
export interface Hello {
    /** Version is the extension's, from its package.json. */
    readonly version: string;
    /** Folders are the paths of the window's workspace folders. */
    readonly folders: readonly string[];
}

/** Welcome is the result of initialize. */
export interface Welcome {
    /** Version is the backend's: "0.1.0+1f2e3d4". */
    readonly version: string;
}

/**
 * Cluster says how a cluster is reached, as kubectl's flags do; what is empty is as kubectl
 * has it.
 */
export interface Cluster {
    readonly namespace?: string;
    readonly context?: string;
    readonly kubeconfig?: string;
    readonly kubectlFlags?: readonly string[];
}

/** Contexts are those of the kubeconfig. */
export interface Contexts {
    readonly contexts: readonly Context[];
    /** Current is the name of the one in use; empty for none. */
    readonly current?: string;
}

/** None is the params or the result of a request that has none. */
export type None = Record<string, never>;

/** Debuggers are the LLDBs found, the one that a session would take first. */
export interface Debuggers {
    readonly debuggers: readonly Debugger[];
}

/** Configuration is a launch configuration, as VS Code has substituted it. */
export interface Configuration {
    /** Attributes are those of launch.json. */
    readonly attributes: Readonly<Record<string, unknown>>;
    /**
     * Folder is the workspace folder; LLDBDap the setting, for a configuration that
     * names none.
     */
    readonly folder?: string;
    readonly lldbDap?: string;
}

/** Findings are the outcomes of doctor's checks, in their order. */
export interface Findings {
    readonly findings: readonly Finding[];
    /** Failed says that a session would not work. */
    readonly failed: boolean;
}

/** HeldList is what is held. */
export interface HeldList {
    readonly held: readonly HeldObject[];
    /** Notes say what could not be looked at. */
    readonly notes?: readonly string[];
}

/** HoldParams say what to hold. */
export interface HoldParams {
    readonly namespace?: string;
    readonly context?: string;
    readonly kubeconfig?: string;
    readonly kubectlFlags?: readonly string[];
    readonly target: string;
    readonly container?: string;
    /** Workload holds the workload's next pods in place of a copy. */
    readonly workload?: boolean;
    /** Application is "run" or "wait", as the launch attribute. */
    readonly application?: string;
}

/** HeldObject is one thing that is held. */
export interface HeldObject {
    readonly namespace: string;
    /** as kubectl names it */
    readonly name: string;
    /** Target is what it was made of, or the workload itself. */
    readonly target?: string;
    readonly container?: string;
    readonly state: string;
    readonly who?: string;
    /** RFC 3339 */
    readonly since?: string;
    /** when the cluster ends it */
    readonly until?: string;
    /** Problem says why its record cannot be read. */
    readonly problem?: string;
}

/**
 * OpenParams say what a session cannot be told in the Debug Adapter Protocol before its
 * debugger starts.
 */
export interface OpenParams {
    /**
     * Folder is the workspace folder: relative paths are below it, and the debugger, and
     * an agent on this machine, start in it.
     */
    readonly folder?: string;
    /** LLDBDap is the setting, for a configuration that names none. */
    readonly lldbDap?: string;
    /**
     * Cold: no lldb-dap is to stand by for the next session, whatever its launch attributes
     * say.
     */
    readonly cold?: boolean;
    /** Trace has the session's messages, packets and phases sent as log entries. */
    readonly trace?: boolean;
}

/** Opened is where a session is ready. */
export interface Opened {
    /** Socket is the path of a unix socket that only this user can reach. */
    readonly socket: string;
}

/** ProgramParams name a local ELF file and what its sources are looked up by. */
export interface ProgramParams {
    readonly program: string;
    readonly workTree?: string;
    readonly sourceMap?: readonly (readonly [string, string])[];
    /** Folder is the workspace folder, for a program that tells no work tree. */
    readonly folder?: string;
}

/** Program is what a local ELF file is. */
export interface Program {
    readonly path: string;
    readonly buildId?: string;
    /** Machine is "amd64" or "arm64". */
    readonly machine: string;
    readonly symbols: boolean;
    readonly dwarf: boolean;
    readonly workTree?: string;
}

/**
 * ReleaseParams say what to give back: the object or target of that name, or, without one,
 * all that the user holds.
 */
export interface ReleaseParams {
    readonly namespace?: string;
    readonly context?: string;
    readonly kubeconfig?: string;
    readonly kubectlFlags?: readonly string[];
    readonly target?: string;
}

/** Released is what was given back. */
export interface Released {
    readonly released: readonly HeldObject[];
}

/** RequestParams are those of "envoydbg request". */
export interface RequestParams {
    readonly namespace?: string;
    readonly context?: string;
    readonly kubeconfig?: string;
    readonly kubectlFlags?: readonly string[];
    readonly target: string;
    readonly container?: string;
    /** From is the application's container, where the pod has several. */
    readonly from?: string;
    readonly url: string;
    readonly method?: string;
    /** Headers are lines "NAME: VALUE". */
    readonly headers?: readonly string[];
    readonly body?: string;
    readonly count?: number;
    readonly concurrency?: number;
    /** DebugImage is an image with a shell, for an application without one. */
    readonly debugImage?: string;
    /** RunAs is a user, or user and group: "1000:1000". */
    readonly runAs?: string;
}

/** Responses are what has come back, in the order in which they came. */
export interface Responses {
    readonly from: string;
    readonly responses: readonly Response[];
    /** Failure says why there are fewer than were asked for; what came before it is here. */
    readonly failure?: Form;
    /** Notes say what may have kept connections from Envoy. */
    readonly notes?: readonly string[];
}

/** SidecarsParams ask for the sidecars of a cluster. */
export interface SidecarsParams {
    readonly namespace?: string;
    readonly context?: string;
    readonly kubeconfig?: string;
    readonly kubectlFlags?: readonly string[];
    /** AllNamespaces asks for those of every namespace that the user may list. */
    readonly allNamespaces?: boolean;
}

/** Sidecars are those found, by namespace, workload and pod. */
export interface Sidecars {
    readonly sidecars: readonly Sidecar[];
    /** Namespace is the only one that was looked at; empty for all. */
    readonly namespace?: string;
}

/** Report is what a person wants to know of a map. */
export interface Report {
    readonly elf: string;
    readonly buildId: string;
    readonly workTree: string;
    /** OutputBase is Bazel's, with how it was found. */
    readonly outputBase?: string;
    readonly outputBaseFrom?: string;
    readonly files: number;
    /** Mapped counts the files found here, by rule. */
    readonly mapped: Readonly<Record<string, number>>;
    readonly roots: readonly RootReport[];
    /** OtherConfiguration are generated files of another configuration's build. */
    readonly otherConfiguration: readonly FileReport[];
    readonly guessed: readonly FileReport[];
    readonly changed: readonly FileReport[];
    /** SavedLater are files without a checksum that were saved after the build. */
    readonly savedLater: readonly FileReport[];
    readonly unmapped: readonly FileReport[];
}

/** LogEntry is a line of the log. */
export interface LogEntry {
    /** Level is "trace", "debug", "info", "warning" or "error". */
    readonly level: string;
    readonly message: string;
}

/** ProgressNote says how far a request is. */
export interface ProgressNote {
    /** its id */
    readonly request: string;
    readonly message: string;
}

/** StandBy is the lldb-dap that stands by. */
export interface StandBy {
    /** State is "none", "reading" (it reads the symbols), or "ready". */
    readonly state: string;
    /** Program is the one whose symbols it has; empty for none. */
    readonly program?: string;
    /** Memory is its anonymous memory in bytes, once it is ready. */
    readonly memory?: number;
}

/** Context is one of a kubeconfig. */
export interface Context {
    readonly name: string;
    readonly cluster: string;
    readonly namespace?: string;
}

/** Debugger is an lldb-dap. */
export interface Debugger {
    readonly path: string;
    readonly version?: string;
    /** Problem says why it cannot be used. */
    readonly problem?: string;
}

/** Finding is the outcome of one check. */
export interface Finding {
    readonly check: string;
    readonly state: string;
    /** What was found, and, unless it is OK, why it matters and the one thing to do. */
    readonly what: string;
    readonly why?: string;
    readonly fix?: string;
    /** Command is the fix where it is one to paste into a terminal. */
    readonly command?: string;
    /** Attribute is the launch attribute that the fix changes. */
    readonly attribute?: string;
}

/** Response is one of them. */
export interface Response {
    /** "200 OK" */
    readonly status?: string;
    readonly headers?: Readonly<Record<string, readonly string[]>>;
    readonly body?: string;
    /** Envoy says that the connection went through the pod's Envoy; How is the proof. */
    readonly envoy: boolean;
    readonly how?: string;
    readonly milliseconds: number;
    readonly error?: string;
}

/**
 * Form is a fault for a client that shows its parts, and what can be done, as it likes.
 * docs/dap.md describes it.
 */
export interface Form {
    /** ID is the number as the user quotes it: "ED1203". */
    readonly id: string;
    /**
     * Kind is "installLldb" where LLDB is missing, and "cancelled" where the user has wanted
     * it, so that nothing is shown.
     */
    readonly kind?: string;
    /** What happened, in one sentence. */
    readonly what: string;
    /** Evidence is what was found, a line each. */
    readonly evidence?: readonly string[];
    /** Do is the one thing to do. */
    readonly do?: string;
    /** Attribute is the launch attribute that it is about, such as "program" or "agent.command". */
    readonly attribute?: string;
    /** Setting is the setting that it is about, such as "envoy.lldbDap". */
    readonly setting?: string;
    /** Command is one to paste into a terminal. */
    readonly command?: string;
    /** Page is where the docs explain it: "docs/errors.md#ed1203". */
    readonly page: string;
}

/** Sidecar is a container with an Envoy. */
export interface Sidecar {
    readonly namespace: string;
    /**
     * Target is what a launch configuration names: "statefulset/fortio-server", or
     * "pod/NAME" where the pod has no workload or is the only held one.
     */
    readonly target: string;
    readonly pod: string;
    readonly container: string;
    /**
     * State is "running" (Envoy was started with the pod), "held" (it waits for a
     * session), or what the kubelet says of one that does not run.
     */
    readonly state: string;
    /** Who holds it. */
    readonly who?: string;
}

/** RootReport is one execution root. */
export interface RootReport {
    readonly path: string;
    readonly kind: string;
    readonly files: number;
}

/** FileReport is one file worth a word. */
export interface FileReport {
    readonly path: string;
    readonly local?: string;
    readonly tried?: readonly string[];
}
