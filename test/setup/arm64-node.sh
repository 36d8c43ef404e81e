#!/usr/bin/env bash
# What the arm64 node of the test cluster is booted with, in software (QEMU):
#   arm64-node/
#     vmlinuz, initrd   Debian's kernel, and what finds the disk
#     disk              the file system: kubelet, containerd, and the pods' images
#
# Run cluster.sh before it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"
# shellcheck source=test/setup/arm64-debian.sh
source "$here/arm64-debian.sh"
# shellcheck source=test/setup/images.sh
source "$here/images.sh"

"$here/apt.sh" e2fsprogs

kube=$ROOT/test/cluster/kube
version=$(cd "$kube" && go list -m -f '{{.Version}}' k8s.io/kubernetes)
kubelet=$TOOLS/arm64-kubelet/$version
build_kubelet() {
  cd "$kube"
  # The version that the node tells of itself; Istio looks at it.
  GOARCH=arm64 CGO_ENABLED=0 go build -p 2 -trimpath -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$version" \
    -o "$1/" k8s.io/kubernetes/cmd/kubelet
}
expect="5 to 10 minutes" locked arm64-kubelet install_dir "kubelet for arm64" "$kubelet" build_kubelet

# programs DIR: busybox in DIR, under the names of its programs that are used here and by
# the sidecar's shell scripts.
programs() {
  local name
  mkdir -p "$1"
  cp "$debian/bin/busybox" "$1/"
  for name in sh cat chmod cp cut df env grep head hostname id ip kill ln ls mkdir modprobe mount mv ps readlink rm sed \
    sleep stat switch_root sync tail tar touch tr true umount uname wc; do
    ln -s busybox "$1/$name"
  done
}

# drivers ROOT MODULE...: copies them, each with those that it needs.
drivers() {
  local root=$1 kernel module
  shift
  kernel=$(basename "$debian"/lib/modules/*)
  for module; do
    modprobe -d "$debian" -S "$kernel" -D "$module" | sed -n "s#^insmod $debian/\(\S*\).*#\1#p" | while read -r module; do
      mkdir -p "$root/${module%/*}"
      cp "$debian/$module" "$root/$module"
    done
  done
  cp "$debian/lib/modules/$kernel"/modules.{order,builtin} "$root/lib/modules/$kernel/"
  depmod -b "$root" "$kernel"
}

# The images have what a sidecar's, an application's and a debug image have to have.
build_images() {
  cd "$1"
  machine=arm64
  local path='"PATH=/usr/local/bin:/usr/bin:/bin"' version
  mkdir -p base/{etc,tmp}
  chmod 1777 base/tmp
  programs base/bin
  echo 'istio-proxy:x:1337:1337::/:/bin/sh' >base/etc/passwd
  arm64_libraries base "$sample/envoy"
  cp -a base libraries
  pack base

  mkdir app
  (cd "$ROOT" && GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$1/app/app" ./test/cluster/app)
  pack app
  image app:1 '{"Entrypoint":["/app"],"Cmd":["pause"]}' app

  mkdir -p proxyv2/usr/local/bin proxyv2/var/lib/istio/envoy
  cp "$agent/pilot-agent" proxyv2/usr/local/bin/
  cp "$sample/envoy" proxyv2/usr/local/bin/envoy-sample
  cp -L "$ROOT/bin/tools/envoy_bootstrap_tmpl.json" proxyv2/var/lib/istio/envoy/
  pack proxyv2
  image proxyv2:1 "{\"Entrypoint\":[\"/usr/local/bin/pilot-agent\"],\"WorkingDir\":\"/\",\"Env\":[$path]}" base proxyv2

  for version in 19 22; do
    cp -a libraries lldb
    mkdir -p "lldb/usr/lib/llvm-$version/bin"
    cp "$debian/usr/lib/llvm-$version/bin/lldb-server" "lldb/usr/lib/llvm-$version/bin/"
    arm64_libraries lldb "$debian/usr/lib/llvm-$version/bin/lldb-server"
    pack lldb
    mv lldb.tar "lldb$version.tar"
    image "lldb:$version" "{\"Cmd\":[\"sh\"],\"Env\":[$path]}" "lldb$version"
  done
  make_store "$1"
}

node_inputs() {
  cat "$here"/{arm64-node.sh,arm64-node-init,arm64-node-disk,images.sh} "$ROOT"/test/cluster/app/*.go
  readlink -f "$ROOT/bin/tools/envoy_bootstrap_tmpl.json"
  echo "$debian $agent $sample $kubelet"
  go version
}
build_node() {
  local root=$1/root initrd=$1/initrd-root
  cp "$debian"/boot/vmlinuz-* "$1/vmlinuz"
  mkdir -p "$initrd"/{dev,proc,sys,disk}
  programs "$initrd/bin"
  drivers "$initrd" virtio_mmio virtio_blk ext4
  install "$here/arm64-node-init" "$initrd/init"
  (cd "$initrd" && find . | cpio --quiet -o -H newc -R 0:0 >"$1/initrd")

  mkdir -p "$root"/{dev,etc,proc,run,sbin,sys,tmp,usr/bin,usr/lib/cni,var/lib,var/log}
  programs "$root/bin"
  drivers "$root" virtio_net overlay bridge veth
  cp "$debian"/usr/bin/{containerd,containerd-shim-runc-v2} "$debian/usr/sbin/runc" "$kubelet/kubelet" "$root/usr/bin/"
  cp "$debian"/usr/lib/cni/{bridge,host-local,loopback} "$root/usr/lib/cni/"
  arm64_libraries "$root" "$root"/usr/bin/{containerd,containerd-shim-runc-v2,runc} "$root"/usr/lib/cni/*
  echo 'root:x:0:0::/:/bin/sh' >"$root/etc/passwd"
  echo "127.0.0.1 localhost" >"$root/etc/hosts"
  : >"$root/etc/machine-id"
  install "$here/arm64-node-disk" "$root/sbin/init"
  mkdir "$1/images"
  (build_images "$1/images")
  mv "$1/images/store" "$root/var/lib/containerd"
  mkfs.ext4 -q -d "$root" "$1/disk" 4G
  rm -rf "$1/images" "$root" "$initrd"
}
node=$TOOLS/arm64-node/$(hash node_inputs)
expect="a minute or two" locked arm64-node install_dir "arm64 node" "$node" build_node
expose "$node" arm64-node
