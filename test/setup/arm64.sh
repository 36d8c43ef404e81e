#!/usr/bin/env bash
# What an arm64 machine in software (test/support/machine) is booted with:
#   arm64/
#     vmlinuz, root.cpio   Debian's kernel, and all of the file system
#     sample/              the sample Envoy for arm64: envoy.debug, and the stripped envoy
#
# The file system has the guest, LLDB's servers 19 and 22 with their libraries, a shell,
# pilot-agent and the sample. Debian's packages for arm64 are unpacked, and none is
# installed; as in lldb.sh, only major versions are pinned. Run setup.sh before it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

packages=(linux-image-cloud-arm64 busybox-static libc6 lldb-19 lldb-22 libllvm19 libllvm22 libclang-cpp19 libclang-cpp22
  libbsd0 libedit2 libffi8 libgcc-s1 libicu72 liblzma5 libmd0 libncurses6 libstdc++6 libtinfo6 libxml2 libz3-4 libzstd1 zlib1g)

# The drivers of the port, each after those that it needs.
drivers=(virtio/virtio_ring virtio/virtio virtio/virtio_mmio char/virtio_console)

# fetch_debian DIR: the packages' programs in DIR/root, as in the machine, and the kernel
# beside it. apt gets lists of its own, because this machine need not know arm64.
fetch_debian() {
  local package driver number=0 library modules
  cd "$1"
  mkdir -p apt/lists/partial debs all root/{bin,dev,home,opt,proc,run,sys,tmp,lib/modules,usr/lib}
  local archive="signed-by=/usr/share/keyrings/debian-archive-keyring.gpg arch=arm64"
  cat >apt/sources.list <<END
deb [$archive] http://deb.debian.org/debian bookworm main
deb [$archive] http://deb.debian.org/debian bookworm-updates main
deb [$archive] http://deb.debian.org/debian-security bookworm-security main
END
  cat >apt/conf <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Dir::State "$1/apt";
Dir::State::status "$1/apt/status";
Dir::Cache "$1/apt";
Dir::Etc::sourcelist "$1/apt/sources.list";
Dir::Etc::sourceparts "-";
END
  touch apt/status
  export APT_CONFIG=$1/apt/conf
  apt-get -q update
  # The kernel's package is empty, and names the one of its newest version.
  kernel=$(apt-cache depends linux-image-cloud-arm64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
  (cd debs && apt-get -q download "${packages[@]/linux-image-cloud-arm64/$kernel}")
  unset APT_CONFIG
  for package in debs/*.deb; do dpkg -x "$package" all; done

  cp all/boot/vmlinuz-* vmlinuz
  modules=$(echo all/lib/modules/*/kernel/drivers)
  for driver in "${drivers[@]}"; do
    number=$((number + 1))
    cp "$modules/$driver.ko" "root/lib/modules/$number-${driver##*/}.ko"
  done
  cp all/bin/busybox root/bin/
  ln -s busybox root/bin/sh
  for version in 19 22; do
    mkdir -p "root/usr/lib/llvm-$version/bin"
    cp "all/usr/lib/llvm-$version/bin/lldb-server" "root/usr/lib/llvm-$version/bin/"
  done
  libraries root/usr/lib/llvm-*/bin/lldb-server
  mv root/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1 root/lib/
  ln -s /lib/ld-linux-aarch64.so.1 root/usr/lib/aarch64-linux-gnu/
  rm -rf apt debs all
}

# libraries PROGRAM...: copies those of the packages that the programs load.
libraries() {
  local to=root/usr/lib/aarch64-linux-gnu name found file
  mkdir -p "$to"
  local -a open=("$@")
  while [ "${#open[@]}" -gt 0 ]; do
    file=${open[0]}
    open=("${open[@]:1}")
    for name in $(readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
      [ ! -e "$to/$name" ] || continue
      found=$(find all -name "$name" -print -quit)
      [ -n "$found" ] || die "no package has $name, which $file needs"
      cp -L "$found" "$to/$name"
      open+=("$to/$name")
    done
  done
}

"$here/apt.sh" qemu-system-arm g++-aarch64-linux-gnu cpio
debian=$TOOLS/arm64-debian/bookworm-$(hash cat "$here/arm64.sh")
expect="a minute" locked arm64-debian install_dir "Debian for arm64" "$debian" fetch_debian

agent=$TOOLS/arm64-pilot-agent/$(cd "$here/istio" && go list -m -f '{{.Version}}' istio.io/istio)
build_agent() {
  cd "$here/istio"
  GOARCH=arm64 CGO_ENABLED=0 go build -v -trimpath -ldflags '-s -w' -o "$1/" istio.io/istio/pilot/cmd/pilot-agent
}
expect="2 to 5 minutes" locked arm64-pilot-agent install_dir "pilot-agent for arm64" "$agent" build_agent

image_inputs() {
  cat "$here/arm64.sh" "$ROOT"/test/sample/Makefile "$ROOT"/test/support/machine/*.go "$ROOT"/test/support/machine/guest/*.go
  find "$ROOT/test/sample/source" -type f -exec sha256sum {} + | cut -d' ' -f1 | sort
  echo "$debian $agent"
  aarch64-linux-gnu-g++ --version
  go version
}
build_image() {
  local root=$1/root
  cp "$debian/vmlinuz" "$1/"
  cp -a "$debian/root" "$root"
  cp "$agent/pilot-agent" "$root/opt/"
  (cd "$ROOT" && GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$root/init" ./test/support/machine/guest)
  make -C "$ROOT/test/sample" OUT="$1/sample" CROSS=aarch64-linux-gnu-
  cp "$1/sample/envoy" "$root/opt/"
  "$here/agent.sh" --print "$root/home/agent" /opt/envoy >/dev/null
  (cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 >"$1/root.cpio")
  rm -rf "$root"
}
image=$TOOLS/arm64/$(hash image_inputs)
expect="half a minute" locked arm64 install_dir "arm64 machine" "$image" build_image
expose "$image" arm64
