package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// The second node, an arm64 machine in software. It shares the bridge, and its pods have
// the upper half of the addresses. The services are the first node's matter, which is
// the way to them. Only pods that tolerate it come to it.
const (
	arm64Name    = "arm64"
	arm64Address = "10.244.0.2"
	arm64Tap     = "arm64" // the machine's end of the bridge
)

// arm64Part is the machine. Its kubelet's and containerd's logs are what it prints.
func (s state) arm64Part(image string) part {
	return part{arm64Name, []string{"qemu-system-aarch64",
		"-M", "virt", "-cpu", "max,pauth-impdef=on", "-smp", "2", "-m", "3G",
		"-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio",
		"-kernel", filepath.Join(image, "vmlinuz"), "-initrd", filepath.Join(image, "initrd"),
		"-append", "console=ttyAMA0 quiet panic=-1",
		// What it writes goes to a file without a name, and ends with it.
		"-drive", "if=none,id=disk,snapshot=on,format=raw,file=" + filepath.Join(image, "disk"),
		"-device", "virtio-blk-device,drive=disk,serial=disk",
		"-drive", "if=none,id=config,readonly=on,format=raw,file=" + s.node("arm64.tar"),
		"-device", "virtio-blk-device,drive=config,serial=config",
		"-netdev", "tap,id=net,script=no,downscript=no,ifname=" + arm64Tap,
		"-device", "virtio-net-device,netdev=net,mac=52:54:00:00:00:02",
	}, ""}
}

// configureArm64 writes what the machine's /etc gets.
func (s state) configureArm64() (err error) {
	const etc = "/etc/node"
	files := map[string][]byte{
		"address":         []byte(arm64Address + "/16\n"),
		"resolv.conf":     nil,
		"containerd.toml": fmt.Appendf(nil, containerdConfig, "/var/lib/containerd", containerdSocket, etc+"/cni"),
	}
	kubelet := kubeletConfig(arm64Address, "", func(name string) string { return filepath.Join(etc, name) })
	kubelet["podLogsDir"] = "/var/log/pods"
	kubelet["registerWithTaints"] = []object{{"key": "kubernetes.io/arch", "value": "arm64", "effect": "NoSchedule"}}
	for name, o := range map[string]object{"kubelet.json": kubelet, "cni/pods.conflist": podNetwork("/run/addresses", "10.244.1.10", "10.244.1.250", false)} {
		if files[name], err = o.json(); err != nil {
			return err
		}
	}
	for name, from := range map[string]string{"ca.crt": "ca.crt", "kubelet.crt": "arm64.crt", "kubelet.key": "arm64.key", "kubelet.kubeconfig": "arm64.kubeconfig"} {
		if files[name], err = os.ReadFile(s.node(from)); err != nil {
			return err
		}
	}
	out, err := os.OpenFile(s.node("arm64.tar"), os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	archive := tar.NewWriter(out)
	for name, text := range files {
		header := &tar.Header{Name: "node/" + name, Mode: 0o600, Size: int64(len(text)), ModTime: time.Now(), Typeflag: tar.TypeReg}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(text); err != nil {
			return err
		}
	}
	return archive.Close()
}
