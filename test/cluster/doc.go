// Command cluster runs a real Kubernetes cluster of one node on this machine, for
// the tests and for people, or with a second one that QEMU emulates (arm64.go):
//
//	cluster up [--arm64]         starts it, unless it is up, and prints the kubeconfig
//	cluster down                 ends it and removes what it has written
//	cluster status               says which parts run
//	cluster kill PART            ends a part with SIGKILL; it is started again at once
//	cluster stop|start PART      keeps a part down until it is started again
//
// # What runs where
//
//	the machine                          the cluster: own PID, mount, network, IPC
//	                                     and host name; no network but its bridge
//	cluster up ──clone──────────────▶    cluster (PID 1)
//	                                       │ starts and watches
//	                                       ├─ etcd, kube-apiserver, …, kubelet, coredns
//	                                       ├─ containerd ─▶ pods, on the bridge
//	kubectl ──▶ 127.0.0.1:PORT ─────────▶  ├─ gateway ─▶ kube-apiserver
//	tests   ──▶ STATE/api.sock ─────────▶  │
//	cluster stop ──▶ STATE/control.sock ▶  └─ control
//	cluster down ──SIGKILL──────────▶
//
// All ends with PID 1: the processes, the mounts, the bridge, the packet filter's
// rules and the pods' namespaces are the kernel's to remove. What is left for
// `cluster down` are the control groups and the state folder. Nothing of the
// machine's own network is touched, so nothing in the cluster can reach out, and
// nothing outside can reach more of it than the API server: the gateway's sockets
// were opened outside and passed in.
//
// The image store is a copy (hard links) of the one that the set-up has made, so
// each cluster begins with the same images and nothing else.
//
// # Files
//
//	main.go      the commands
//	state.go     the state folder, and who may change it
//	node.go      PID 1: namespaces, bridge, the order of the start
//	parts.go     each part's command line and configuration
//	arm64.go     those of the arm64 node
//	keeper.go    runs a part, and runs it again when it ends
//	identity.go  the certificates and kubeconfigs
//	control.go   the commands to a running cluster
//	cgroups.go   the control groups that outlive the processes
//
// Goroutines: in PID 1 one for each part, one for the control socket,
// and those of test/support/relay for the gateway. All end with the process.
package main
