package kube

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// inside tells about the container in lines of a word and its value. It needs nothing
// but a shell: /proc is read by the shell itself. Its arguments are folders.
const inside = `while read key value; do case $key in Uid:|Gid:|CapEff:|NoNewPrivs:|Seccomp:) echo "$key $value";; esac; done < /proc/self/status
read yama 2>/dev/null < /proc/sys/kernel/yama/ptrace_scope && echo "yama $yama"
echo "machine $(uname -m)"
for p in /proc/[0-9]*; do
  read -r name 2>/dev/null < $p/comm || continue
  echo "process ${p#/proc/} $name"
done
for d; do [ -d $d ] && [ -w $d ] && echo "writable $(stat -f -c %T $d 2>/dev/null) $d"; done
echo end`

// insideTime bounds the look.
const insideTime = 20 * time.Second

// Inside looks at the container from within: who the user is, whether it may trace a
// process of its own, what runs, and in which of the folders files can be put.
func (s *Sidecar) Inside(ctx context.Context, folders []string) []Finding {
	ctx, cancel := context.WithTimeout(ctx, insideTime)
	defer cancel()
	var out bytes.Buffer
	err := s.Exec(ctx, append([]string{"sh", "-c", inside, "sh"}, folders...), nil, &out)
	text, ended := strings.CutSuffix(strings.TrimSpace(out.String()), "end")
	if err != nil || !ended {
		return []Finding{{Check: "shell", State: Failed, What: fmt.Sprintf("no command can be run: %v", err),
			Why: "the helper is placed by one", Fix: fmt.Sprintf("kubectl exec -n %s %s -c %s -- sh -c true", s.Namespace, s.Pod, s.Container)}}
	}
	return findings(strings.Split(text, "\n"))
}

// findings reads what the script has printed.
func findings(lines []string) []Finding {
	value := map[string]string{}
	var envoys, disks, memory []string
	for _, line := range lines {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		f := strings.Fields(rest)
		switch {
		case word == "process" && len(f) == 2 && f[1] == "envoy":
			envoys = append(envoys, f[0])
		case word == "writable" && len(f) == 2 && (f[0] == "tmpfs" || f[0] == "ramfs"):
			memory = append(memory, f[1])
		case word == "writable" && len(f) == 2:
			disks = append(disks, f[1])
		default:
			value[strings.TrimSuffix(word, ":")] = rest
		}
	}
	uid, _, _ := strings.Cut(value["Uid"], "\t")
	out := []Finding{{Check: "node", State: OK, What: value["machine"]}, trace(uid, value)}
	f := Finding{Check: "Envoy", State: OK, What: "it has not started"}
	if len(envoys) > 0 {
		f.State, f.What = Failed, "it runs already (pid "+strings.Join(envoys, ", ")+")"
		f.Why, f.Fix = "it starts once, and its start is over", "debug a pod whose istio-proxy is parked: its command is `pilot-agent wait`"
	}
	out = append(out, f)
	f = Finding{Check: "folder", State: OK, What: strings.Join(disks, ", ")}
	if len(disks) == 0 {
		f.State, f.What = Failed, "none on disk can be written to"
		if len(memory) > 0 {
			f.What += "; in memory: " + strings.Join(memory, ", ")
		}
		f.Why, f.Fix = "the helper and lldb-server, 280 MB, are put there", "mount an emptyDir at /var/lib/istio/data"
	}
	return append(out, f)
}

// sysPtrace is the number of CAP_SYS_PTRACE (capabilities(7)).
const sysPtrace = 19

// trace says whether the container's user may trace its own processes.
func trace(uid string, value map[string]string) Finding {
	f := Finding{Check: "tracing", State: OK, What: "user " + uid + " may trace its own processes"}
	caps, _ := strconv.ParseUint(value["CapEff"], 16, 64)
	switch {
	case caps>>sysPtrace&1 == 1:
		f.What = "user " + uid + " has CAP_SYS_PTRACE"
	case value["yama"] == "" || value["yama"] == "0" || value["yama"] == "1":
		// With 1 the helper, an ancestor of Envoy and of the debug server, still may.
	default:
		f.State, f.What = Failed, "kernel.yama.ptrace_scope is "+value["yama"]+" on the node"
		f.Why, f.Fix = "nobody without CAP_SYS_PTRACE may trace", "add the capability SYS_PTRACE to the container's securityContext"
	}
	return f
}
