#!/usr/bin/env bash
# What an arm64 machine in software (test/support/machine) is booted with:
#   arm64/
#     vmlinuz, root.cpio   Debian's kernel, and all of the file system
#   arm64-sample/          the sample Envoy for arm64: envoy.debug, and the stripped envoy
#
# The file system has the guest, LLDB's servers 19 and 22 with their libraries, a shell,
# pilot-agent and the sample. Run setup.sh before it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"
# shellcheck source=test/setup/arm64-debian.sh
source "$here/arm64-debian.sh"

# The drivers of the port, each after those that it needs.
drivers=(virtio/virtio_ring virtio/virtio virtio/virtio_mmio char/virtio_console)

image_inputs() {
  cat "$here/arm64.sh" "$ROOT"/test/support/machine/*.go "$ROOT"/test/support/machine/guest/*.go
  echo "$debian $agent $sample"
  go version
}
build_image() {
  local root=$1/root driver number=0
  cp "$debian"/boot/vmlinuz-* "$1/vmlinuz"
  mkdir -p "$root"/{bin,dev,home,opt,proc,run,sys,tmp,lib/modules,usr/lib}
  for driver in "${drivers[@]}"; do
    number=$((number + 1))
    cp "$debian"/lib/modules/*/"kernel/drivers/$driver.ko" "$root/lib/modules/$number-${driver##*/}.ko"
  done
  cp "$debian/bin/busybox" "$root/bin/"
  ln -s busybox "$root/bin/sh"
  for version in 19 22; do
    mkdir -p "$root/usr/lib/llvm-$version/bin"
    cp "$debian/usr/lib/llvm-$version/bin/lldb-server" "$root/usr/lib/llvm-$version/bin/"
    arm64_libraries "$root" "$debian/usr/lib/llvm-$version/bin/lldb-server"
  done
  cp "$agent/pilot-agent" "$root/opt/"
  (cd "$ROOT" && GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$root/init" ./test/support/machine/guest)
  cp "$sample/envoy" "$root/opt/"
  "$here/agent.sh" --print "$root/home/agent" /opt/envoy >/dev/null
  (cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 >"$1/root.cpio")
  rm -rf "$root"
}
image=$TOOLS/arm64/$(hash image_inputs)
expect="half a minute" locked arm64 install_dir "arm64 machine" "$image" build_image
expose "$image" arm64
