# Debian's packages for arm64, to be sourced after lib.sh. Makes $debian, a folder in which
# they are unpacked and none is installed, and gives the functions below. As in lldb.sh,
# only major versions are pinned.
# shellcheck shell=bash

arm64_packages=(linux-image-cloud-arm64 busybox-static libc6 lldb-19 lldb-22 libllvm19 libllvm22 libclang-cpp19 libclang-cpp22
  libbsd0 libedit2 libffi8 libgcc-s1 libicu72 liblzma5 libmd0 libncurses6 libstdc++6 libtinfo6 libxml2 libz3-4 libzstd1 zlib1g
  containerd runc libseccomp2 containernetworking-plugins)

# fetch_arm64 DIR: apt gets lists of its own, because this machine need not know arm64.
fetch_arm64() {
  local package kernel number
  mkdir "$1/apt"
  cd "$1/apt"
  mkdir -p lists/partial debs
  local archive="signed-by=/usr/share/keyrings/debian-archive-keyring.gpg arch=arm64"
  cat >sources.list <<END
deb [$archive] http://deb.debian.org/debian bookworm main
deb [$archive] http://deb.debian.org/debian bookworm-updates main
deb [$archive] http://deb.debian.org/debian-security bookworm-security main
END
  cat >conf <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Dir::State "$PWD";
Dir::State::status "$PWD/status";
Dir::Cache "$PWD";
Dir::Etc::sourcelist "$PWD/sources.list";
Dir::Etc::sourceparts "-";
END
  touch status
  export APT_CONFIG=$PWD/conf
  apt-get -q update
  # The kernel's package is empty, and names the one of its newest version.
  kernel=$(apt-cache depends linux-image-cloud-arm64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
  (cd debs && apt-get -q download "${arm64_packages[@]/linux-image-cloud-arm64/$kernel}")
  unset APT_CONFIG
  cd "$1"
  for package in apt/debs/*.deb; do dpkg -x "$package" .; done
  # What tells modprobe which driver needs which.
  number=$(echo lib/modules/*)
  depmod -b "$1" "${number##*/}"
  rm -rf apt usr/share boot/System.map*
}

# arm64_libraries ROOT PROGRAM...: copies what the programs load to its place below ROOT,
# unless it is there.
arm64_libraries() {
  local root=$1 to=$1/usr/lib/aarch64-linux-gnu name found
  shift
  mkdir -p "$to" "$root/lib"
  local -a open=("$@")
  while [ "${#open[@]}" -gt 0 ]; do
    for name in $(readelf -d "${open[0]}" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
      [ ! -e "$to/$name" ] || continue
      found=$(find "$debian" -name "$name" -print -quit)
      [ -n "$found" ] || die "no package has $name, which ${open[0]} needs"
      cp -L "$found" "$to/$name"
      open+=("$to/$name")
    done
    open=("${open[@]:1}")
  done
  if [ ! -e "$root/lib/ld-linux-aarch64.so.1" ]; then
    cp -L "$debian"/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1 "$root/lib/"
  fi
}

"$here/apt.sh" qemu-system-arm g++-aarch64-linux-gnu cpio kmod
debian=$TOOLS/arm64-debian/bookworm-$(hash cat "$here/arm64-debian.sh")
expect="a minute" locked arm64-debian install_dir "Debian for arm64" "$debian" fetch_arm64

agent=$TOOLS/arm64-pilot-agent/$(cd "$here/istio" && go list -m -f '{{.Version}}' istio.io/istio)
build_agent() {
  cd "$here/istio"
  GOARCH=arm64 CGO_ENABLED=0 go build -v -trimpath -ldflags '-s -w' -o "$1/" istio.io/istio/pilot/cmd/pilot-agent
}
expect="2 to 5 minutes" locked arm64-pilot-agent install_dir "pilot-agent for arm64" "$agent" build_agent

sample_inputs() {
  cat "$here/arm64-debian.sh" "$ROOT"/test/sample/Makefile
  find "$ROOT/test/sample/source" -type f -exec sha256sum {} + | cut -d' ' -f1 | sort
  aarch64-linux-gnu-g++ --version
}
sample=$TOOLS/arm64-sample/$(hash sample_inputs)
build_sample() { make -C "$ROOT/test/sample" OUT="$1" CROSS=aarch64-linux-gnu-; }
expect="a few seconds" locked arm64-sample install_dir "sample for arm64" "$sample" build_sample
expose "$sample" arm64-sample
