package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/envoydbg/envoydbg/adapter/fault"
)

// When the agent is started.
const (
	StartWhenArmed = "whenArmed" // as soon as the debug server waits
	StartManual    = "manual"    // on the request startAgent
)

// TargetLocal is the target on this machine.
const TargetLocal = "local"

// What becomes of the output of the agent and Envoy.
const (
	OutputConsole  = "console"  // with the session's own words
	OutputTerminal = "terminal" // in a terminal of its own
	OutputHide     = "hide"     // unless the startup fails
)

// What becomes of Envoy and its agent at the end of the session.
const (
	AtEndEnd         = "end"
	AtEndRun         = "run"         // they run on
	AtEndKeepStopped = "keepStopped" // Envoy stays stopped where it stands
)

// What a session does about an Envoy that starts, or has started, by itself.
const (
	HoldAsk      = "ask"      // whoever is at a keyboard; else as HoldCopy
	HoldCopy     = "copy"     // debug a copy of the pod, made for it
	HoldWorkload = "workload" // let the workload's next pods wait, and debug one
	HoldNever    = "never"
)

// What becomes, at the session's end, of what it has held.
const (
	HoldRelease = "release"
	HoldKeep    = "keep"
)

// What the application of a held copy does until its Envoy is ready.
const (
	ApplicationRun  = "run"
	ApplicationWait = "wait"
)

// Breakpoint presets.
const (
	PresetMain     = "main"     // Envoy::MainCommon::main, or main()
	PresetSyscalls = "syscalls" // Envoy's OsSysCallsImpl
	PresetLibevent = "libevent" // epoll in libc, under libevent
)

// Config is a validated set of launch attributes.
type Config struct {
	// Target says where Envoy runs: TargetLocal, or a pod or workload as kubectl names
	// it. Empty means a plain lldb-dap session.
	Target string `json:"target"`
	// Namespace, Context, Kubeconfig and KubectlFlags lead to the cluster of a target
	// that is not local; what is empty is as kubectl has it.
	Namespace    string   `json:"namespace"`
	Context      string   `json:"context"`
	Kubeconfig   string   `json:"kubeconfig"`
	KubectlFlags []string `json:"kubectlFlags"`
	// Container is the one with Envoy in it.
	Container string `json:"container"`
	// DebugImage has a shell, for a container without one.
	DebugImage string `json:"debugImage"`
	// Hold is one of Hold…, for a container that starts Envoy by itself.
	Hold string `json:"hold"`
	// HoldAtEnd is HoldRelease or HoldKeep.
	HoldAtEnd string `json:"holdAtEnd"`
	// Application is ApplicationRun or ApplicationWait, for a copy that the session holds.
	Application string `json:"application"`
	// Capture is CaptureAll, or an Owner in words, for a copy that the session holds.
	Capture string `json:"capture"`
	// Program is the local ELF with symbols. Default: EnvoyPath.
	Program string `json:"program"`
	// EnvoyPath is the Envoy that the agent starts, a path beside Envoy.
	// Default: Program, else pilot-agent's own, /usr/local/bin/envoy.
	EnvoyPath string `json:"envoyPath"`
	Agent     Agent  `json:"agent"`
	// AtEnd is one of AtEnd…, for an end of which the client does not say it.
	AtEnd string `json:"atEnd"`
	// Gate holds Envoy before its first instruction until it is traced.
	Gate bool `json:"gate"`
	// StartTimeout, in seconds, bounds the time from the agent's start to the attach.
	StartTimeout float64 `json:"startTimeout"`
	// LLDBDap and LLDBServer are programs; found by themselves when empty.
	LLDBDap    string `json:"lldbDap"`
	LLDBServer string `json:"lldbServer"`
	// IndexCache keeps what LLDB has computed of the program for the next session.
	IndexCache bool `json:"indexCache"`
	// Warm has an lldb-dap stand by for the next session of the same program.
	Warm bool `json:"warm"`
	// DebugServer takes the place of an lldb-server of the session's own.
	DebugServer DebugServer `json:"debugServer"`
	// StopOnEntry stops at the first instruction of the process.
	StopOnEntry bool `json:"stopOnEntry"`
	// BreakpointPresets is a list of Preset… names.
	BreakpointPresets []string `json:"breakpointPresets"`
	// PreRunCommands is lldb-dap's attribute; it is checked here and passed on.
	PreRunCommands []string `json:"preRunCommands"`
	// PostRunCommands is lldb-dap's attribute; one of the adapter's comes before it.
	PostRunCommands []string `json:"postRunCommands"`
	// WorkTree is the local source tree. Default: the one that the program tells
	// (sourcemap.FindWorkTree), else what the command line names.
	WorkTree string `json:"workTree"`
	// SourceMap is lldb-dap's attribute: pairs of a folder in the debug
	// information and one here. They win over what the adapter finds.
	SourceMap SourceMap `json:"sourceMap"`
	// CommandEscapePrefix is lldb-dap's attribute: what makes a text in the debug
	// console a command.
	CommandEscapePrefix string `json:"commandEscapePrefix"`
	// InitCommands is lldb-dap's attribute; the adapter's own come before it.
	InitCommands []string `json:"initCommands"`
	// Trace is where the session's trace is written; empty for nowhere.
	Trace Trace `json:"trace"`
	// Restart has the session begin again when Envoy has ended by itself.
	Restart bool `json:"restart"`
}

// Agent is the process that starts Envoy.
type Agent struct {
	// Command is the program and its arguments. Default: pilot-agent proxy sidecar; in a
	// pod, what its specification says, and nil here.
	Command []string `json:"command"`
	// Env is added to the environment.
	Env map[string]string `json:"env"`
	// Cwd is the working directory. Default: that of the adapter, which in VS
	// Code is the workspace folder.
	Cwd string `json:"cwd"`
	// EnvFile is a file of more variables; those of Env win.
	EnvFile string `json:"envFile"`
	// Output says where what the agent and Envoy write is shown: OutputConsole,
	// OutputTerminal, OutputHide, or the path of a file that it is appended to instead.
	Output string `json:"output"`
	// Start is StartWhenArmed or StartManual.
	Start string `json:"start"`
}

// Own lists the attributes that are the adapter's and never reach lldb-dap.
// program, stopOnEntry and the *Commands are shared with it.
var Own = []string{"target", "namespace", "context", "kubeconfig", "kubectlFlags", "container", "debugImage", "hold", "holdAtEnd", "application", "capture", "envoyPath", "agent", "atEnd", "gate", "startTimeout", "lldbDap", "lldbServer", "indexCache", "warm", "debugServer", "breakpointPresets", "workTree", "trace", "restart"}

// Parse decodes and validates the arguments of a launch or attach request that
// names a target. The error is a *fault.Fault that names the attribute; warnings are
// about attributes without effect.
func Parse(arguments []byte) (c *Config, warnings []*fault.Fault, err error) {
	c = &Config{Gate: true, IndexCache: true, Warm: true, CommandEscapePrefix: "`", StartTimeout: 60, Container: defaultContainer, Hold: HoldAsk, HoldAtEnd: HoldRelease, Application: ApplicationRun, Capture: CaptureAll, AtEnd: AtEndEnd,
		Agent: Agent{Start: StartWhenArmed, Output: OutputConsole}}
	arguments = withoutPort(arguments)
	if err := decode(arguments, c); err != nil {
		return nil, nil, err
	}
	// Before the values: a wrong name leaves its attribute at the default.
	if warnings, err = unknown(arguments); err != nil {
		return nil, nil, err
	}
	for object, known := range map[string][]string{"agent": agent, "debugServer": debugServer} {
		if err := unknownOf(arguments, object, known); err != nil {
			return nil, nil, err
		}
	}
	if err := c.validate(arguments); err != nil {
		return nil, nil, err
	}
	return c, warnings, nil
}

func decode(arguments []byte, c *Config) error {
	err := json.Unmarshal(arguments, c)
	var typ *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &typ) && typ.Field != "":
		name, fix := typ.Field, describe(typ.Field)
		is := "is "
		if typ.Type == reflect.TypeFor[string]() && fix != describe("") { // an element
			is = "holds "
			gjson.GetBytes(arguments, "agent.env").ForEach(func(key, v gjson.Result) bool {
				if name == "agent.env" && v.Type != gjson.String && v.Type != gjson.Null {
					name, is, fix = name+"."+key.Str, "is ", "a string; put numbers and booleans in quotes"
				}
				return true
			})
		}
		return fault.BadAttribute(name, is+kind(typ.Value), "It must be "+fix+".")
	default:
		return fault.BadAttribute("arguments", "cannot be read as an object of JSON", "Check the commas and brackets of launch.json.")
	}
}

// kind says in words what encoding/json found: "number", "number 1e400", "bool", …
func kind(value string) string {
	word, _, _ := strings.Cut(value, " ")
	switch word {
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "bool":
		return "true or false"
	}
	return "a " + value
}

// describe says in words what an attribute takes.
func describe(field string) string {
	switch field {
	case "agent":
		return `an object, for example {"command": ["pilot-agent", "proxy", "sidecar"]}`
	case "debugServer":
		return `an object, for example {"connect": ` + connectExample + `}`
	case "agent.command":
		return `a list of strings, for example ["pilot-agent", "proxy", "sidecar"]`
	case "agent.env":
		return `an object of strings, for example {"CLOUD_PLATFORM": "none"}`
	case "sourceMap":
		return `a list of pairs, [["/proc/self/cwd", "/home/me/src"]], or an object {"/proc/self/cwd": "/home/me/src"}`
	case "trace":
		return "true, or the absolute path of a file"
	case "gate", "stopOnEntry", "restart":
		return "true or false"
	case "startTimeout":
		return "a number of seconds"
	case "kubectlFlags":
		return `a list of strings, for example ["--as=jane"]`
	case "breakpointPresets", "initCommands", "preRunCommands", "postRunCommands":
		return "a list of strings"
	}
	return "a string"
}

func (c *Config) validate(arguments []byte) error {
	if err := c.validateTarget(arguments); err != nil {
		return err
	}
	if err := c.validateDebugServer(arguments); err != nil {
		return err
	}
	for _, name := range replaced {
		if v := gjson.GetBytes(arguments, name); v.Exists() && v.Type != gjson.Null {
			return fault.BadAttribute(name, "does not go with "+fault.Name("target"),
				fmt.Sprintf("The attach is made by the adapter. Remove %s, or debug without %s.", fault.Name(name), fault.Name("target")))
		}
	}
	switch {
	case len(c.Agent.Command) > 0:
	case c.Agent.Command != nil:
		return fault.BadAttribute("agent.command", "is empty", "It must be "+describe("agent.command")+".")
	case c.Local():
		c.Agent.Command = []string{"pilot-agent", "proxy", "sidecar"}
	}
	if len(c.Agent.Command) > 0 && c.Agent.Command[0] == "" {
		return fault.BadAttribute("agent.command", "starts with an empty string", "The first element is the program.")
	}
	for name := range c.Agent.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return fault.BadAttribute("agent.env", fmt.Sprintf("has the name %q", name), `A name is not empty and holds no "=".`)
		}
	}
	switch c.Agent.Start {
	case StartWhenArmed, StartManual:
	default:
		return oneOf("agent.start", fmt.Sprintf("is %q", c.Agent.Start), c.Agent.Start, []string{StartWhenArmed, StartManual})
	}
	switch output := c.Agent.Output; {
	case slices.Contains([]string{OutputConsole, OutputTerminal, OutputHide}, output), filepath.IsAbs(output):
	default:
		return oneOf("agent.output", fmt.Sprintf("is %q", output), output, []string{OutputConsole, OutputTerminal, OutputHide, "the absolute path of a file"})
	}
	if c.Trace != "" && c.Trace != TraceDefault && !filepath.IsAbs(string(c.Trace)) {
		return fault.BadAttribute("trace", fmt.Sprintf("is %q", c.Trace), "It must be "+describe("trace")+".")
	}
	if ends := []string{AtEndEnd, AtEndRun, AtEndKeepStopped}; !slices.Contains(ends, c.AtEnd) {
		return oneOf("atEnd", fmt.Sprintf("is %q", c.AtEnd), c.AtEnd, ends)
	}
	if ways := []string{HoldAsk, HoldCopy, HoldWorkload, HoldNever}; !slices.Contains(ways, c.Hold) {
		return oneOf("hold", fmt.Sprintf("is %q", c.Hold), c.Hold, ways)
	}
	if ends := []string{HoldRelease, HoldKeep}; !slices.Contains(ends, c.HoldAtEnd) {
		return oneOf("holdAtEnd", fmt.Sprintf("is %q", c.HoldAtEnd), c.HoldAtEnd, ends)
	}
	if ways := []string{ApplicationRun, ApplicationWait}; !slices.Contains(ways, c.Application) {
		return oneOf("application", fmt.Sprintf("is %q", c.Application), c.Application, ways)
	}
	if c.Application == ApplicationWait && (c.Hold == HoldWorkload || c.Hold == HoldNever) {
		return fault.BadAttribute("application", `is "wait"`, fmt.Sprintf("It is for a held copy: set %s to \"copy\", or remove it.", fault.Name("hold")))
	}
	if _, _, ok := Owner(c.Capture); !ok && c.Capture != CaptureAll {
		return oneOf("capture", fmt.Sprintf("is %q", c.Capture), c.Capture, []string{CaptureAll, "uid N", "gid N"})
	}
	if c.Capture != CaptureAll && (c.Hold == HoldWorkload || c.Hold == HoldNever) {
		return fault.BadAttribute("capture", fmt.Sprintf("is %q", c.Capture), fmt.Sprintf("It is for a held copy: set %s to \"copy\", or remove it.", fault.Name("hold")))
	}
	presets := []string{PresetMain, PresetSyscalls, PresetLibevent}
	for _, p := range c.BreakpointPresets {
		if !slices.Contains(presets, p) {
			return oneOf("breakpointPresets", fmt.Sprintf("has %q", p), p, presets)
		}
	}
	if c.StartTimeout <= 0 || c.StartTimeout > 24*3600 {
		return fault.BadAttribute("startTimeout", fmt.Sprintf("is %v", c.StartTimeout), "It must be a number of seconds above 0 and at most 86400.")
	}
	if c.Program != "" && !filepath.IsAbs(c.Program) {
		return fault.BadAttribute("program", fmt.Sprintf("is %q", c.Program), `It must be an absolute path, for example "${workspaceFolder}/bazel-bin/envoy".`)
	}
	if !c.Local() {
		c.EnvoyPath = cmp.Or(c.EnvoyPath, defaultEnvoy)
	}
	c.EnvoyPath = cmp.Or(c.EnvoyPath, c.Program, defaultEnvoy)
	if c.Local() {
		c.Program = cmp.Or(c.Program, c.EnvoyPath)
	}
	if !filepath.IsAbs(c.EnvoyPath) {
		return fault.BadAttribute("envoyPath", fmt.Sprintf("is %q", c.EnvoyPath), "It must be an absolute path.")
	}
	if c.WorkTree != "" && !filepath.IsAbs(c.WorkTree) {
		return fault.BadAttribute("workTree", fmt.Sprintf("is %q", c.WorkTree), `It must be an absolute path, for example "${workspaceFolder}".`)
	}
	return nil
}

// defaultContainer is the sidecar's name in Istio.
const defaultContainer = "istio-proxy"

// defaultEnvoy is Envoy's place in Istio's image.
const defaultEnvoy = "/usr/local/bin/envoy"

// Local says that Envoy runs on this machine.
func (c *Config) Local() bool { return c.Target == TargetLocal }

// validateTarget looks at the target and what belongs to it.
func (c *Config) validateTarget(arguments []byte) error {
	if c.Local() {
		for _, name := range []string{"namespace", "context", "kubeconfig", "kubectlFlags", "container", "debugImage", "hold", "holdAtEnd", "application", "capture"} {
			if v := gjson.GetBytes(arguments, name); v.Exists() && v.Type != gjson.Null {
				return fault.BadAttribute(name, "does not go with the target \"local\"", fmt.Sprintf("Remove %s, or name a pod as the target.", fault.Name(name)))
			}
		}
		return nil
	}
	if strings.EqualFold(c.Target, TargetLocal) || strings.TrimSpace(c.Target) == "" || strings.HasPrefix(c.Target, "/") || strings.HasSuffix(c.Target, "/") || strings.HasPrefix(c.Target, "-") {
		return fault.BadTarget(c.Target)
	}
	if strings.HasPrefix(c.LLDBServer, "image:") && c.DebugImage == "" {
		return fault.BadAttribute("lldbServer", fmt.Sprintf("is %q", c.LLDBServer), fmt.Sprintf("Set %s to the image that has it.", fault.Name("debugImage")))
	}
	if c.Kubeconfig != "" && !filepath.IsAbs(c.Kubeconfig) {
		return fault.BadAttribute("kubeconfig", fmt.Sprintf("is %q", c.Kubeconfig), "It must be an absolute path.")
	}
	return nil
}

// Words are the target as a command line names it, for the user to read. kubectl's other
// flags are left out: one may be a secret.
func (c *Config) Words() string {
	words := []string{c.Target}
	for _, flag := range c.KubectlFlags {
		if strings.HasPrefix(flag, "--namespace=") || strings.HasPrefix(flag, "--context=") {
			words = append(words, flag)
		}
	}
	for _, f := range []struct{ flag, value string }{{"--namespace", c.Namespace}, {"--context", c.Context}, {"--kubeconfig", c.Kubeconfig}} {
		if f.value != "" {
			words = append(words, f.flag+"="+f.value)
		}
	}
	if c.Container != defaultContainer {
		words = append(words, "--container="+c.Container)
	}
	return strings.Join(words, " ")
}

// Timeout is StartTimeout as a duration.
func (c *Config) Timeout() time.Duration {
	return time.Duration(c.StartTimeout * float64(time.Second))
}
