package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// The cluster's addresses. Its network is its own, so they can be fixed.
const (
	nodeAddress = "10.244.0.1" // of the bridge: the node and the API server
	podRange    = "10.244.0.0/16"
	services    = "10.96.0.0/16"
	apiService  = "10.96.0.1"
	apiServer   = nodeAddress + ":6443"
	bridge      = "pods"
	nodeName    = "node"
)

// Paths in the cluster's own mount namespace, where /run is empty at the start.
const (
	kubeletRoot      = "/run/kubelet"
	containerdSocket = "/run/containerd.sock"
)

// part is one program of the cluster.
type part struct {
	name    string
	command []string
	// ready is an address that answers once the part serves, or a path that exists
	// then. Empty: nobody has to wait for it.
	ready string
}

// parts returns the cluster's programs in the order of their start.
func (s state) parts(programs, dns string) []part {
	kube := func(name string, flags ...string) []string {
		return append([]string{filepath.Join(programs, name)}, flags...)
	}
	config := func(name string) string { return "--kubeconfig=" + s.node(name+".kubeconfig") }
	return []part{
		{"containerd", []string{"containerd", "--config", s.node("containerd.toml")}, containerdSocket},
		{"etcd", kube("etcd",
			"--data-dir="+s.node("etcd"),
			// It need not outlive the machine.
			"--unsafe-no-fsync",
			"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
			"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
			"--initial-cluster=default=http://127.0.0.1:2380",
			"--log-level=warn"), "http://127.0.0.1:2379/health"},
		{"kube-apiserver", kube("kube-apiserver",
			"--etcd-servers=http://127.0.0.1:2379",
			"--bind-address="+nodeAddress, "--advertise-address="+nodeAddress, "--secure-port=6443",
			"--service-cluster-ip-range="+services,
			// Webhooks in pods are reached by the pod's address.
			"--enable-aggregator-routing=true",
			"--allow-privileged=true",
			"--authorization-mode=Node,RBAC",
			"--client-ca-file="+s.node("ca.crt"),
			"--tls-cert-file="+s.node("apiserver.crt"), "--tls-private-key-file="+s.node("apiserver.key"),
			"--kubelet-client-certificate="+s.node("apiserver.crt"), "--kubelet-client-key="+s.node("apiserver.key"),
			"--kubelet-certificate-authority="+s.node("ca.crt"),
			"--kubelet-preferred-address-types=InternalIP",
			"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
			"--service-account-key-file="+s.node("accounts.crt"),
			"--service-account-signing-key-file="+s.node("accounts.key")), "https://" + apiServer + "/readyz"},
		{"kube-controller-manager", kube("kube-controller-manager",
			config("controller-manager"), "--bind-address=127.0.0.1", "--leader-elect=false",
			"--use-service-account-credentials=true",
			"--service-account-private-key-file="+s.node("accounts.key"),
			"--root-ca-file="+s.node("ca.crt")), ""},
		{"kube-scheduler", kube("kube-scheduler",
			config("scheduler"), "--bind-address=127.0.0.1", "--leader-elect=false"), ""},
		{"kubelet", kube("kubelet",
			"--config="+s.node("kubelet.json"), config("kubelet"),
			"--root-dir="+kubeletRoot,
			"--hostname-override="+nodeName, "--node-ip="+nodeAddress), "http://127.0.0.1:10248/healthz"},
		{"kube-proxy", kube("kube-proxy", "--config="+s.node("proxy.json")), ""},
		{"coredns", []string{dns, "-conf", s.node("Corefile")}, "http://127.0.0.1:8181/ready"},
	}
}

// object is one of a configuration file.
type object map[string]any

func (o object) json() ([]byte, error) { return json.MarshalIndent(o, "", "  ") }

// kubeletConfig is a node's. at is where a file is that the node has.
func kubeletConfig(address, group string, at func(name string) string) object {
	return object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1",
		"kind":       "KubeletConfiguration",
		"address":    address,
		"authentication": object{
			"x509":      object{"clientCAFile": at("ca.crt")},
			"webhook":   object{"enabled": true},
			"anonymous": object{"enabled": false},
		},
		"authorization":            object{"mode": "Webhook"},
		"tlsCertFile":              at("kubelet.crt"),
		"tlsPrivateKeyFile":        at("kubelet.key"),
		"clusterDNS":               []string{nodeAddress},
		"clusterDomain":            "cluster.local",
		"resolvConf":               at("resolv.conf"),
		"containerRuntimeEndpoint": "unix://" + containerdSocket,
		"podLogsDir":               at("pod-logs"),
		"volumePluginDir":          at("volume-plugins"),
		"cgroupDriver":             "cgroupfs",
		"cgroupRoot":               "/" + group,
		"failCgroupV1":             false,
		"failSwapOn":               false,
		"makeIPTablesUtilChains":   false,
		"maxOpenFiles":             20000,
		"oomScoreAdj":              0,
		"registerNode":             true,
		// The machine's disk is not the cluster's to clean.
		"imageGCHighThresholdPercent": 100,
		"imageGCLowThresholdPercent":  99,
		"evictionHard": object{
			"memory.available": "50Mi", "nodefs.available": "1%", "nodefs.inodesFree": "1%", "imagefs.available": "1%",
		},
	}
}

// podNetwork is the bridge for a node's pods, with the addresses that the node gives them.
// dir keeps which of these are in use. One node is the gateway of all.
func podNetwork(dir, first, last string, gateway bool) object {
	return object{
		"cniVersion": "1.0.0",
		"name":       "pods",
		"plugins": []object{{
			"type": "bridge", "bridge": bridge, "hairpinMode": true,
			"isGateway": gateway, "ipMasq": false,
			"ipam": object{
				"type": "host-local", "dataDir": dir,
				"ranges": [][]object{{{"subnet": podRange, "rangeStart": first, "rangeEnd": last, "gateway": nodeAddress}}},
				"routes": []object{{"dst": "0.0.0.0/0", "gw": nodeAddress}},
			},
		}},
	}
}

// configure writes the parts' configuration files.
func (s state) configure() error {
	proxy := object{
		"apiVersion":         "kubeproxy.config.k8s.io/v1alpha1",
		"kind":               "KubeProxyConfiguration",
		"clientConnection":   object{"kubeconfig": s.node("proxy.kubeconfig")},
		"mode":               "iptables",
		"clusterCIDR":        podRange,
		"hostnameOverride":   nodeName,
		"bindAddress":        nodeAddress,
		"healthzBindAddress": "127.0.0.1:10256",
		"metricsBindAddress": "127.0.0.1:10249",
		// Answers between two pods of one bridge must come back through the node.
		"iptables": object{"masqueradeAll": true},
		// These limits belong to the machine.
		"conntrack": object{
			"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
		},
	}
	for name, value := range map[string]object{
		"kubelet.json":      kubeletConfig(nodeAddress, s.group(), func(name string) string { return s.node(name) }),
		"proxy.json":        proxy,
		"cni/pods.conflist": podNetwork(s.node("addresses"), "10.244.0.10", "10.244.0.250", true),
	} {
		text, err := value.json()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(s.node(name)), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(s.node(name), text, 0o600); err != nil {
			return err
		}
	}
	if err := os.WriteFile(s.node("resolv.conf"), nil, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(s.node("Corefile"), fmt.Appendf(nil, corefile, nodeAddress, s.node("dns.kubeconfig")), 0o600); err != nil {
		return err
	}
	return os.WriteFile(s.node("containerd.toml"), fmt.Appendf(nil, containerdConfig,
		s.node("containerd"), containerdSocket, s.node("cni")), 0o600)
}

// containerdConfig takes the store, the socket and the folder of the network's
// configuration.
const containerdConfig = `version = 2
root = %q
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.tracing", "io.containerd.internal.v1.opt"]
[grpc]
  address = %q
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "envoydbg.test/app:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = %q
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`

// corefile takes the address to listen on and a kubeconfig. CoreDNS is a program of
// the node, so that names resolve before the first pod runs. It knows no other names
// than the cluster's.
const corefile = `. {
  bind %s
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig %s
  }
}
`
