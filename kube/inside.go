package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Room is what a container tells about itself from within.
type Room struct {
	Machine                 string // as `uname -m` has it
	UID, GID                string
	Capabilities            uint64 // the effective ones
	NoNewPrivs, Seccomp     bool
	Yama                    string // kernel.yama.ptrace_scope; empty where there is none
	Processes               []Process
	Places                  []Place // of the folders that were asked for, those that may be written to
	MemoryLimit, MemoryUsed int64   // bytes; 0 when nothing limits it
	Variables               map[string]string
}

// Process is one of a container's.
type Process struct {
	PID, Name string
	// Words are its arguments, one after another without a space between.
	Words string
}

// Place is a folder that may be written to.
type Place struct {
	Dir    string
	FS     string // its file system
	Free   int64  // bytes
	NoExec bool   // programs may not be run from it
}

// Memory says whether what is written there is memory of the container.
func (p Place) Memory() bool { return p.FS == "tmpfs" || p.FS == "ramfs" }

// inside tells about the container in lines of a word and its value. All it needs is a
// shell and uname: /proc is read by the shell itself, and without stat less is known. Its
// arguments are names of variables, "--", and folders. It changes nothing.
const inside = `while [ "$1" != -- ]; do eval "value=\${$1-}"; echo "variable $1 $value"; shift; done; shift
while read -r key value; do case $key in Uid:|Gid:|CapEff:|NoNewPrivs:|Seccomp:) echo "$key $value";; esac; done < /proc/self/status
read -r value 2>/dev/null < /proc/sys/kernel/yama/ptrace_scope && echo "yama $value"
echo "machine $(uname -m)"
for f in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do read -r value 2>/dev/null < $f && echo "limit $value"; done
for f in /sys/fs/cgroup/memory.stat /sys/fs/cgroup/memory/memory.stat; do
  [ -r $f ] && while read -r key value; do case $key in anon|total_rss) echo "used $value";; esac; done < $f
done
for p in /proc/[0-9]*; do
  [ ${p#/proc/} = $$ ] && continue
  read -r name 2>/dev/null < $p/comm || continue
  words=; read -r words 2>/dev/null < $p/cmdline
  echo "process ${p#/proc/} $name $words"
done 2>/dev/null
while read -r device dir kind options rest; do case ,$options, in *,noexec,*) echo "noexec $dir";; *) echo "exec $dir";; esac; done < /proc/self/mounts
for d; do
  [ -d "$d" ] && [ -w "$d" ] || continue
  set -- $(stat -f -c '%T %a %S' "$d" 2>/dev/null)
  echo "place ${1:-unknown} $((${2:-0} * ${3:-0})) $d"
done
echo end`

// insideTime bounds the look.
const insideTime = 20 * time.Second

// Inside looks at the container from within: who the user is, what runs, in which of the
// folders files can be put, and what some variables of its environment are.
func (s *Sidecar) Inside(ctx context.Context, folders, variables []string) (*Room, error) {
	ctx, cancel := context.WithTimeout(ctx, insideTime)
	defer cancel()
	var out bytes.Buffer
	err := s.Exec(ctx, slices.Concat([]string{"sh", "-c", inside, "sh"}, variables, []string{"--"}, folders), nil, &out)
	text, ended := strings.CutSuffix(strings.TrimSpace(out.String()), "end")
	if err == nil && !ended {
		err = errors.New("the connection to the container was lost")
	}
	if err != nil {
		return nil, err
	}
	return parseRoom(text), nil
}

// parseRoom reads what the script has printed.
func parseRoom(text string) *Room {
	r := &Room{Variables: map[string]string{}}
	number := func(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }
	noexec := map[string]bool{}
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		first, _, _ := strings.Cut(strings.ReplaceAll(rest, "\t", " "), " ")
		switch word {
		case "variable":
			name, value, _ := strings.Cut(rest, " ")
			r.Variables[name] = value
		case "Uid:":
			r.UID = first
		case "Gid:":
			r.GID = first
		case "CapEff:":
			r.Capabilities, _ = strconv.ParseUint(rest, 16, 64)
		case "NoNewPrivs:":
			r.NoNewPrivs = rest == "1"
		case "Seccomp:":
			r.Seccomp = rest == "2"
		case "yama":
			r.Yama = rest
		case "machine":
			r.Machine = rest
		case "limit":
			if n := number(rest); n > 0 && n < unlimited { // "max" is no number
				r.MemoryLimit = n
			}
		case "used":
			r.MemoryUsed = number(rest)
		case "process":
			if f := strings.SplitN(rest, " ", 3); len(f) >= 2 {
				r.Processes = append(r.Processes, Process{f[0], f[1], strings.Join(f[2:], "")})
			}
		case "exec", "noexec":
			noexec[rest] = word == "noexec"
		case "place":
			if f := strings.SplitN(rest, " ", 3); len(f) == 3 {
				r.Places = append(r.Places, Place{Dir: f[2], FS: f[0], Free: number(f[1]), NoExec: mounted(noexec, f[2])})
			}
		}
	}
	return r
}

// unlimited is what version 1 of cgroups says where there is no limit, and more.
const unlimited = 1 << 50

// mounted is the value of the mount that a folder lies in.
func mounted(mounts map[string]bool, dir string) bool {
	for dir != "" {
		if v, ok := mounts[dir]; ok {
			return v
		}
		dir = dir[:max(strings.LastIndexByte(dir, '/'), 0)]
	}
	return mounts["/"]
}

// sysPtrace is the number of CAP_SYS_PTRACE (capabilities(7)).
const sysPtrace = 19

// Tracing says whether the container's user may trace its own processes.
func (r *Room) Tracing() Finding {
	rights := []string{"user " + r.UID, "group " + r.GID}
	has := r.Capabilities>>sysPtrace&1 == 1
	if has {
		rights = append(rights, "CAP_SYS_PTRACE")
	} else {
		rights = append(rights, "without CAP_SYS_PTRACE")
	}
	if r.NoNewPrivs {
		rights = append(rights, "no_new_privs")
	}
	if r.Seccomp {
		rights = append(rights, "a seccomp filter")
	}
	if r.Yama == "" {
		rights = append(rights, "no Yama")
	} else {
		rights = append(rights, "ptrace_scope "+r.Yama)
	}
	f := Finding{Check: "tracing", State: OK, What: strings.Join(rights, ", ")}
	switch {
	case r.Yama == "3":
		f.State, f.Why = Failed, "with kernel.yama.ptrace_scope 3 the node lets nobody trace, and it cannot be changed until the node starts again"
		f.Fix = "run the pod on a node with another value"
	case r.Yama == "2" && !has:
		f.State, f.Why = Failed, "with kernel.yama.ptrace_scope 2 on the node only a process with CAP_SYS_PTRACE may trace"
		f.Fix = `add "capabilities": {"add": ["SYS_PTRACE"]} and "runAsUser": 0 to the container's securityContext, or set kernel.yama.ptrace_scope to 1 on the node`
	default:
		// Envoy has the same user and group as the debug server; with scope 1 the helper,
		// an ancestor of both, still may. The filters that container runtimes have by
		// default allow ptrace on every kernel since 4.8.
		f.What = "permitted: " + f.What
	}
	return f
}

// Memory says whether the container's limit leaves room for what takes so many bytes.
func (r *Room) Memory(need int64) Finding {
	f := Finding{Check: "memory", State: OK}
	left := r.MemoryLimit - r.MemoryUsed
	switch {
	case r.MemoryLimit == 0:
		f.What = "no limit"
	case left >= need:
		f.What = fmt.Sprintf("%s of the limit of %s are left", Megabytes(left), Megabytes(r.MemoryLimit))
	default:
		f.State, f.What = Warning, fmt.Sprintf("%s of the limit of %s are left", Megabytes(left), Megabytes(r.MemoryLimit))
		f.Why = fmt.Sprintf("the agent, Envoy and lldb-server take about %s together; beyond the limit the kernel kills one of them", Megabytes(need))
		f.Fix = `raise the container's memory limit (in Istio the annotation sidecar.istio.io/proxyMemoryLimit)`
	}
	return f
}

// Megabytes is a number of bytes for people.
func Megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
