package kube

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// The script tells of this machine what is true of it, with each shell that there is, and
// without any program but the shell's own it still tells most.
func TestTheScriptTellsTheTruth(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ENVOYDBG_TEST", "istio-proxy:1f2e 3d")
	shells := []string{"sh", "dash", "bash"}
	tried := 0
	for _, shell := range shells {
		path, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		tried++
		for _, bare := range []bool{false, true} {
			cmd := exec.Command(path, "-c", inside, "sh", "ENVOYDBG_TEST", "ENVOYDBG_NONE", "--", "/nonexistent", dir)
			cmd.Env = os.Environ()
			if bare {
				cmd.Env = append(cmd.Env, "PATH=/nonexistent")
			}
			out, err := cmd.Output()
			text, ended := strings.CutSuffix(string(out), "end\n")
			if err != nil || !ended {
				t.Fatalf("%s: %v\n%s", shell, err, out)
			}
			r := parseRoom(text)
			me := slices.IndexFunc(r.Processes, func(p Process) bool { return p.PID == strconv.Itoa(os.Getpid()) })
			if r.UID != strconv.Itoa(os.Getuid()) || r.GID != strconv.Itoa(os.Getgid()) || me < 0 || !strings.Contains(r.Processes[me].Words, "-test.") ||
				r.Variables["ENVOYDBG_TEST"] != "istio-proxy:1f2e 3d" || r.Variables["ENVOYDBG_NONE"] != "" {
				t.Errorf("%s: %+v", shell, r)
			}
			if len(r.Places) != 1 || r.Places[0].Dir != dir || r.Places[0].NoExec || !bare && (r.Places[0].Free == 0 || r.Machine == "") {
				t.Errorf("%s, bare %v: %+v, machine %q", shell, bare, r.Places, r.Machine)
			}
		}
	}
	if tried == 0 {
		t.Error("no shell")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("it has left %v", left)
	}
}

func TestTheContainerTellsAboutItself(t *testing.T) {
	r := parseRoom(strings.Join([]string{"variable SHA istio-proxy:1f2e", "Uid: 1337\t1337\t1337\t1337", "Gid: 1338\t1338", "CapEff: 0000000000080000", "NoNewPrivs: 1",
		"Seccomp: 2", "yama 1", "machine aarch64", "limit max", "limit 1000", "used 30", "process 1 pilot-agent pilot-agentproxysidecar", "process 2 envoy",
		"exec /", "noexec /dev/shm", "exec /tmp", "place ext2/ext3 100 /var/lib/istio/data", "place tmpfs 7 /dev/shm/x", "nonsense", "", "place x"}, "\n"))
	if r.UID != "1337" || r.GID != "1338" || r.Capabilities != 1<<sysPtrace || !r.NoNewPrivs || !r.Seccomp || r.Yama != "1" || r.Machine != "aarch64" ||
		r.MemoryLimit != 1000 || r.MemoryUsed != 30 || r.Variables["SHA"] != "istio-proxy:1f2e" {
		t.Errorf("%+v", r)
	}
	if want := []Process{{"1", "pilot-agent", "pilot-agentproxysidecar"}, {"2", "envoy", ""}}; !slices.Equal(r.Processes, want) {
		t.Errorf("%+v", r.Processes)
	}
	if want := []Place{{"/var/lib/istio/data", "ext2/ext3", 100, false}, {"/dev/shm/x", "tmpfs", 7, true}}; !slices.Equal(r.Places, want) {
		t.Errorf("%+v", r.Places)
	}
	if r := parseRoom("limit 9223372036854771712"); r.MemoryLimit != 0 {
		t.Errorf("no limit is one of %d", r.MemoryLimit)
	}
}

func TestWhetherTracingIsPermitted(t *testing.T) {
	for _, x := range []struct {
		room Room
		want State
		says string
	}{
		{Room{UID: "1337", GID: "1337", NoNewPrivs: true, Seccomp: true}, OK, "user 1337, group 1337, without CAP_SYS_PTRACE, no_new_privs, a seccomp filter, no Yama"},
		{Room{Yama: "1"}, OK, "ptrace_scope 1"},
		{Room{Yama: "2"}, Failed, "SYS_PTRACE"},
		{Room{Yama: "2", Capabilities: 1 << sysPtrace}, OK, "CAP_SYS_PTRACE"},
		{Room{Yama: "3", Capabilities: 1 << sysPtrace}, Failed, "nobody"},
	} {
		if f := x.room.Tracing(); f.State != x.want || !strings.Contains(f.What+f.Why+f.Fix, x.says) || (f.State == Failed) != (f.Fix != "") {
			t.Errorf("%+v: %+v", x.room, f)
		}
	}
}

func TestWhetherTheMemoryIsEnough(t *testing.T) {
	for _, x := range []struct {
		limit, used int64
		want        State
	}{{0, 5, OK}, {1000, 100, OK}, {1000, 500, OK}, {1000, 501, Warning}} {
		if f := (&Room{MemoryLimit: x.limit, MemoryUsed: x.used}).Memory(500); f.State != x.want || (f.State == Warning) != (f.Fix != "") {
			t.Errorf("%+v: %+v", x, f)
		}
	}
}

// Space is looked for on disk, where programs may run, and where the kubelet allows it.
func TestWhetherThereIsSpace(t *testing.T) {
	data := func(limit string) func(*core.Pod) {
		return func(p *core.Pod) {
			q := resource.MustParse(limit)
			p.Spec.Volumes = []core.Volume{{Name: "data", VolumeSource: core.VolumeSource{EmptyDir: &core.EmptyDirVolumeSource{SizeLimit: &q}}}}
			p.Spec.Containers[1].VolumeMounts = []core.VolumeMount{{Name: "data", MountPath: "/data"}}
		}
	}
	disk := func(limit string) func(*core.Pod) {
		return func(p *core.Pod) {
			p.Spec.Containers[1].Resources.Limits = core.ResourceList{core.ResourceEphemeralStorage: resource.MustParse(limit)}
		}
	}
	none := func(*core.Pod) {}
	good := Place{Dir: "/data", FS: "ext2/ext3", Free: 1000}
	for name, x := range map[string]struct {
		change func(*core.Pod)
		places []Place
		want   State
		says   string
	}{
		"enough":               {none, []Place{good}, OK, "/data"},
		"nobody knows":         {none, []Place{{Dir: "/data"}}, OK, "/data"},
		"nowhere":              {none, nil, Failed, "no folder"},
		"too little":           {none, []Place{{Dir: "/data", Free: 10}}, Failed, "/data has"},
		"memory":               {none, []Place{{Dir: "/data", FS: "tmpfs", Free: 1000}}, Failed, "is memory"},
		"noexec":               {none, []Place{{Dir: "/data", Free: 1000, NoExec: true}}, Failed, "noexec"},
		"the second one":       {none, []Place{{Dir: "/memory", FS: "tmpfs", Free: 1000}, good}, OK, "/data"},
		"the volume's limit":   {data("100"), []Place{good}, Failed, "evicts"},
		"a large volume":       {data("1000"), []Place{good}, OK, "/data"},
		"the container's disk": {disk("100"), []Place{good}, Failed, "evicts"},
	} {
		s, err := cluster(pod("a", "a", x.change)).Find(context.Background(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		if f := s.Space(&Room{Places: x.places}, 500); f.State != x.want || !strings.Contains(f.What, x.says) || (f.State == Failed) != (f.Fix != "") {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
