package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/envoydbg/envoydbg/test/support/relay"
	"golang.org/x/sys/unix"
)

// stageVariable tells a copy of this program which stage it is.
const stageVariable = "ENVOYDBG_CLUSTER_STAGE"

const (
	stageInit = "init" // PID 1: reaps, and ends when the node ends
	stageNode = "node" // starts and watches the parts
)

// The descriptors that `cluster up` passes to the stages.
const (
	fdLock = 3 + iota
	fdAddress
	fdSocket
	fdControl
	fdProgress
	fdEnd
)

// runInit is PID 1 of the cluster. The node is a process of its own, so that
// nobody but it waits for the parts, and nobody but this for orphans.
func runInit() error {
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	files := make([]uintptr, fdEnd)
	for i := range files {
		files[i] = uintptr(i)
	}
	if err := os.Setenv(stageVariable, stageNode); err != nil {
		return err
	}
	node, err := syscall.ForkExec(executable, os.Args, &syscall.ProcAttr{Env: os.Environ(), Files: files})
	if err != nil {
		return err
	}
	// The reader of the progress waits for the end of the last writer.
	if err := unix.Close(fdProgress); err != nil {
		return err
	}
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case pid == node && status.ExitStatus() != 0:
			return fmt.Errorf("the node ended with %v", status)
		case pid == node:
			return nil
		}
	}
}

// node is the cluster from inside.
type node struct {
	state    state
	arm64    string // the folder that the arm64 node is booted from; "" for no such node
	progress *os.File
	began    time.Time
	keepers  []*keeper
	client   *http.Client // trusts the API server
}

// runNode starts the cluster in the namespaces of this process and runs it until
// somebody asks it to end.
func runNode(s state, programs, dns, arm64 string) error {
	for fd := fdLock; fd < fdEnd; fd++ {
		unix.CloseOnExec(fd)
	}
	n := &node{state: s, arm64: arm64, progress: os.NewFile(fdProgress, "progress"), began: time.Now()}
	if err := n.start(programs, dns); err != nil {
		n.say("failed: %v", err)
		return err
	}
	n.say("ready")
	n.progress.Close()
	return n.control(fdControl)
}

// say writes one line for who waits in `cluster up`. Nobody may be there any more.
func (n *node) say(format string, a ...any) { fmt.Fprintf(n.progress, format+"\n", a...) }

// done reports a step and how long it took.
func (n *node) done(step string) {
	n.say("%-34s %.1f s", step, time.Since(n.began).Seconds())
	n.began = time.Now()
}

func (n *node) start(programs, dns string) error {
	if err := n.isolate(); err != nil {
		return err
	}
	if err := n.network(); err != nil {
		return err
	}
	if err := n.identities(); err != nil {
		return err
	}
	if err := n.state.configure(); err != nil {
		return err
	}
	parts := n.state.parts(programs, dns)
	if n.arm64 != "" {
		if err := n.state.configureArm64(); err != nil {
			return err
		}
		parts = append(parts, n.state.arm64Part(n.arm64))
	}
	n.done("network, certificates")
	for _, p := range parts {
		k := newKeeper(p, n.state.path("logs", p.name+".log"))
		n.keepers = append(n.keepers, k)
		if err := k.want(true, false); err != nil {
			return err
		}
		go k.keep()
		// The API server gives up on an etcd that is late, and most others on an API
		// server that is late.
		if p.name == "etcd" || p.name == "kube-apiserver" {
			if err := n.await(k, time.Minute); err != nil {
				return err
			}
			n.done(p.name)
		}
	}
	for _, k := range n.keepers {
		if k.ready != "" {
			if err := n.await(k, time.Minute); err != nil {
				return err
			}
		}
	}
	n.done("containerd, kubelet, coredns")
	for fd, name := range map[uintptr]string{fdAddress: "address", fdSocket: "socket"} {
		listener, err := net.FileListener(os.NewFile(fd, name))
		if err != nil {
			return err
		}
		relay.Start(listener, func() (net.Conn, error) { return net.Dial("tcp", apiServer) })
	}
	return nil
}

// isolate gives this mount namespace its own /proc, and its own folders where parts
// write to fixed paths.
func (n *node) isolate() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts made private: %w", err)
	}
	const quiet = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("proc", "/proc", "proc", quiet, ""); err != nil {
		return fmt.Errorf("mount of /proc: %w", err)
	}
	for _, folder := range []string{"/run", "/var/log"} {
		if err := unix.Mount("tmpfs", folder, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
			return fmt.Errorf("mount of %s: %w", folder, err)
		}
	}
	// The kubelet and the network's plugins have folders in /var/lib that do not
	// exist outside and are not to be made there.
	for _, folder := range []string{"/run/lib", "/run/lib.work"} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("overlay", "/var/lib", "overlay", 0, "lowerdir=/var/lib,upperdir=/run/lib,workdir=/run/lib.work"); err != nil {
		return fmt.Errorf("overlay on /var/lib: %w", err)
	}
	// On the disk, as in any cluster, but below a path that leaves room for the names of
	// the kubelet's sockets, which can have 107 bytes in all.
	for _, folder := range []string{kubeletRoot, n.state.node("kubelet")} {
		if err := os.Mkdir(folder, 0o750); err != nil {
			return err
		}
	}
	if err := unix.Mount(n.state.node("kubelet"), kubeletRoot, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount of %s: %w", kubeletRoot, err)
	}
	if err := unix.Sethostname([]byte(nodeName)); err != nil {
		return err
	}
	return n.pretendTunables()
}

// pretendTunables shows the kubelet the values that it insists on, so that it does
// not set them for the whole machine.
func (n *node) pretendTunables() error {
	for path, value := range map[string]string{
		"vm/overcommit_memory": "1", "vm/panic_on_oom": "0",
		"kernel/panic": "10", "kernel/panic_on_oops": "1",
		"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
	} {
		file := n.state.node("tunables", strings.ReplaceAll(path, "/", "."))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return err
		}
		if err := unix.Mount(file, "/proc/sys/"+path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount on %s: %w", path, err)
		}
	}
	return nil
}

// network makes the bridge. It is the only way between pods and node, and leads
// nowhere else.
func (n *node) network() error {
	commands := []string{
		"link set lo up",
		"link add " + bridge + " type bridge",
		"address add " + nodeAddress + "/16 dev " + bridge,
		"link set " + bridge + " up",
	}
	if n.arm64 != "" {
		commands = append(commands,
			"tuntap add dev "+arm64Tap+" mode tap",
			"link set "+arm64Tap+" master "+bridge,
			"link set "+arm64Tap+" up")
	}
	for _, arguments := range commands {
		if out, err := exec.Command("ip", strings.Fields(arguments)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", arguments, err, out)
		}
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}

// identities writes the certificates and the kubeconfigs.
func (n *node) identities() error {
	a, err := newAuthority()
	if err != nil {
		return err
	}
	if err := os.WriteFile(n.state.node("ca.crt"), a.pem, 0o600); err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	n.client = &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true},
	}
	for _, c := range []struct {
		file, name string
		groups     []string
		hosts      []string
	}{
		{"apiserver", "kube-apiserver", []string{"system:masters"}, []string{
			nodeAddress, apiService, "127.0.0.1", "localhost",
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		}},
		{"kubelet", "system:node:" + nodeName, []string{"system:nodes"}, []string{nodeName, nodeAddress, "127.0.0.1"}},
		{"arm64", "system:node:" + arm64Name, []string{"system:nodes"}, []string{arm64Name, arm64Address, "127.0.0.1"}},
		{"accounts", "accounts", nil, nil},
		{"controller-manager", "system:kube-controller-manager", nil, nil},
		{"scheduler", "system:kube-scheduler", nil, nil},
		{"proxy", "system:kube-proxy", nil, nil},
		{"dns", "coredns", []string{"system:masters"}, nil},
		{"admin", "admin", []string{"system:masters"}, nil},
	} {
		identity, err := a.issue(c.name, c.groups, c.hosts...)
		if err != nil {
			return err
		}
		if err := identity.write(n.state.node(c.file)); err != nil {
			return err
		}
		server, file := apiServer, n.state.node(c.file+".kubeconfig")
		if c.file == "admin" {
			file = n.state.path("kubeconfig")
			if server, err = boundAddress(fdAddress); err != nil {
				return err
			}
		}
		config, err := a.kubeconfig("https://"+server, identity)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, config, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// boundAddress is the address that the socket fd is bound to.
func boundAddress(fd int) (string, error) {
	name, err := unix.Getsockname(fd)
	if err != nil {
		return "", err
	}
	v4, ok := name.(*unix.SockaddrInet4)
	if !ok {
		return "", fmt.Errorf("the gateway listens on %T", name)
	}
	return fmt.Sprintf("%s:%d", net.IP(v4.Addr[:]), v4.Port), nil
}

// await waits until the part is ready. It gives up early on a part that has ended
// more than once.
func (n *node) await(k *keeper, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		err := n.ready(k.ready)
		if err == nil {
			return nil
		}
		k.mu.Lock()
		starts := k.starts
		k.mu.Unlock()
		if starts > 2 || time.Now().After(deadline) {
			return fmt.Errorf("%s is not ready: %w; its log ends with:\n%s", k.name, err, tail(k.log))
		}
	}
}

func (n *node) ready(where string) error {
	if !strings.HasPrefix(where, "http") {
		_, err := os.Stat(where)
		return err
	}
	answer, err := n.client.Get(where)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}

// tail is the last part of a log.
func tail(path string) string {
	const most = 4000
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	if size, err := file.Seek(0, io.SeekEnd); err == nil {
		_, _ = file.Seek(max(0, size-most), io.SeekStart)
	}
	text, _ := io.ReadAll(file)
	return string(text)
}
