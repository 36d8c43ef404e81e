package harness

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// bound limits a whole story; a session takes a second, a failure five.
const bound = 90 * time.Second

// EndWithin is how long after its end parts of a session may still exist.
const EndWithin = 10 * time.Second

// Each runs a story on each version of LLDB, side by side; in a cluster each in a pod of
// its own, and one test after the other, because the node has room for few pods.
func Each(t *testing.T, story func(t *testing.T, s *Story)) {
	t.Helper()
	if The.Target != Cluster && The.Target != Arm64 {
		t.Parallel()
	}
	pods := holdPods(t)
	for _, lldb := range The.LLDBs {
		t.Run(lldb.String(), func(t *testing.T) {
			if The.Target != Arm64 { // which has one processor
				t.Parallel()
			}
			s := NewStory(t, lldb)
			s.pod = pods.podOf(t, lldb)
			story(t, s)
		})
	}
}

// Story is one test: the sessions in it and what they have in common.
type Story struct {
	T    *testing.T
	LLDB LLDB
	// Dir is the story's own folder, and TMPDIR of its sessions.
	Dir string
	// Ctx ends with the story, at the latest after its bound.
	Ctx context.Context
	// Variables are added to the environment of its sessions.
	Variables []string

	mark     string
	agents   int
	direct   bool // an lldb-dap was run without us, and may have left something
	pod      *pod // in a cluster
	sessions []*Session
}

var stories, ports atomic.Int32

// NewStory starts a story. At its end all its sessions must have ended; a session
// that has not is ended, and the story fails. No process and no folder may be left.
func NewStory(t *testing.T, lldb LLDB) *Story {
	t.Helper()
	// A short path, because unix sockets are created below it.
	dir, err := os.MkdirTemp("/tmp", "story-")
	if err != nil {
		t.Fatal(err)
	}
	// Other users, which some agents become, may pass it; otherwise the helper would
	// put its folder elsewhere.
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	limit, variables := bound, []string(nil)
	if The.Target == Arm64 {
		limit, variables = machineBound, machineVariables()
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	s := &Story{T: t, LLDB: lldb, Dir: dir, Ctx: ctx, Variables: variables, mark: fmt.Sprintf("ENVOYDBG_STORY=%d", stories.Add(1))}
	t.Cleanup(func() {
		defer cancel()
		s.close()
		_ = os.RemoveAll(dir)
	})
	return s
}

func (s *Story) close() {
	for _, session := range s.sessions {
		session.close()
	}
	s.NothingLeft()
	if s.pod != nil {
		s.pod.cluster.Parked(s.pod.namespace, s.pod.name)
	}
	if The.Target == Arm64 {
		s.machineIsClean()
	}
	if s.T.Failed() {
		for i, session := range s.sessions {
			s.T.Logf("session %d: the DAP traffic\n%s", i+1, session.Dump())
			if trace, err := os.ReadFile(session.Trace); err == nil {
				s.T.Logf("session %d: the trace\n%s", i+1, readable(trace))
			}
		}
	}
	for _, p := range marked(s.mark) {
		_ = Kill(p.PID) // for the stories to come
	}
}

// readable leaves out the thousands of packets from the debug server after the
// attach and what the client's own log has, and shortens long lines.
func readable(trace []byte) string {
	var b strings.Builder
	attached := false
	for line := range strings.Lines(string(trace)) {
		attached = attached || strings.Contains(line, " attached ")
		if strings.Contains(line, " client ") || attached && strings.Contains(line, " gdb ") && !strings.Contains(line, "closed") {
			continue
		}
		if line = strings.TrimRight(line, "\n"); len(line) > 400 {
			line = line[:400] + "…"
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// NothingLeft fails the story unless all processes and folders of its sessions
// are gone in time.
func (s *Story) NothingLeft() {
	s.T.Helper()
	s.NoProcessLeft()
	if !eventually(EndWithin, func() bool { return len(s.folders()) == 0 }) {
		s.T.Errorf("folders left %v after the end of the session: %v", EndWithin, s.folders())
	}
}

// NoProcessLeft fails the story unless all processes of its sessions end in
// time. It returns how long that took.
func (s *Story) NoProcessLeft() time.Duration {
	s.T.Helper()
	began := time.Now()
	var left []Proc
	if !eventually(EndWithin, func() bool { left = marked(s.mark); return len(left) == 0 }) {
		s.T.Errorf("processes left %v after the end of the session: %v", EndWithin, left)
	}
	return time.Since(began)
}

// folders are the folders that sessions have made in the temporary folder; LLDB's
// own is "lldb".
func (s *Story) folders() []string {
	found, _ := filepath.Glob(filepath.Join(s.Dir, "envoydbg-*"))
	if s.direct {
		return found
	}
	lldb, _ := filepath.Glob(filepath.Join(s.Dir, "lldb"))
	return append(found, lldb...)
}

// Processes are those of the story's sessions.
func (s *Story) Processes() []Proc { return marked(s.mark) }

// Env is the environment of the story's sessions.
func (s *Story) Env() []string {
	var env []string
	for _, e := range os.Environ() {
		// The sessions' folders are to be in Dir.
		if !strings.HasPrefix(e, "XDG_RUNTIME_DIR=") && !strings.HasPrefix(e, "TMPDIR=") {
			env = append(env, e)
		}
	}
	return append(append(env, "TMPDIR="+s.Dir, s.mark), s.Variables...)
}

// Attributes are the arguments of a launch or attach request.
type Attributes map[string]any

// With returns a copy with one attribute set, or removed when value is nil.
func (a Attributes) With(name string, value any) Attributes {
	b := maps.Clone(a)
	if b[name] = value; value == nil {
		delete(b, name)
	}
	return b
}

// Agent returns the agent's attributes with some of them replaced.
func (a Attributes) Agent(change map[string]any) Attributes {
	agent := maps.Clone(a["agent"].(map[string]any))
	maps.Copy(agent, change)
	return a.With("agent", agent)
}

// Sample are the attributes that debug the sample under the real pilot-agent,
// in a folder and on ports of its own.
func (s *Story) Sample() Attributes {
	s.T.Helper()
	return Attributes{"program": The.SampleDebug, "sourceMap": [][]string{{"/proc/self/cwd", The.Sources}}}.under(s, The.Sample)
}

// RealEnvoy are the attributes that debug the real Envoy, which has no symbols.
func (s *Story) RealEnvoy() Attributes {
	s.T.Helper()
	return Attributes{"program": The.Envoy}.under(s, The.Envoy)
}

// Of are the attributes that debug an Envoy that contains its symbols.
func (s *Story) Of(program string) Attributes {
	s.T.Helper()
	return Attributes{"program": program}.under(s, program)
}

func (a Attributes) under(s *Story, envoy string) Attributes {
	s.T.Helper()
	if s.pod != nil {
		return s.pod.under(s, a, envoy)
	}
	if The.Target == Cluster {
		s.T.Fatal("this story has no pod: it is none for the cluster")
	}
	s.agents++
	dir := filepath.Join(s.Dir, "agent"+strconv.Itoa(s.agents))
	cmd := exec.Command(filepath.Join(The.Root, "test/setup/agent.sh"), "--print", dir, envoy)
	cmd.Env = append(os.Environ(), fmt.Sprintf("AGENT_PORTS=%d", 25000+4*ports.Add(1)))
	out, err := cmd.Output()
	if err != nil {
		s.T.Fatalf("agent.sh --print: %v", err)
	}
	env := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		env[name] = value
	}
	if The.Target == Arm64 {
		return a.inMachine(env)
	}
	b := maps.Clone(a)
	b["target"], b["envoyPath"] = "local", envoy
	b["agent"] = map[string]any{"command": []string{The.PilotAgent, "proxy", "sidecar", "--proxyLogLevel", "info"}, "env": env, "cwd": dir}
	return b
}

// NamedSample is Sample with an Envoy whose name no other story uses, for sessions
// without the gate.
func (s *Story) NamedSample() Attributes {
	s.T.Helper()
	path := filepath.Join(s.Dir, fmt.Sprintf("envoy%d", stories.Add(1)))
	// Not written by this process: a child forked meanwhile would keep it open for
	// writing, and then it could not be executed.
	if out, err := exec.Command("cp", The.Sample, path).CombinedOutput(); err != nil {
		s.T.Fatalf("cp: %v\n%s", err, out)
	}
	return Attributes{"program": The.SampleDebug, "sourceMap": [][]string{{"/proc/self/cwd", The.Sources}}}.under(s, path)
}

// Line is the number, from 1, of the first line with that text in a source file
// of the sample, and the file's path.
func (s *Story) Line(file, text string) (string, int) {
	s.T.Helper()
	path := filepath.Join(The.Sources, file)
	b, err := os.ReadFile(path)
	if err != nil {
		s.T.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, text) })
	if i < 0 {
		s.T.Fatalf("%s has no line with %q", path, text)
	}
	return path, i + 1
}
