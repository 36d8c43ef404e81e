#!/usr/bin/env bash
# The images of the test cluster's pods:
#   cluster-images/   a store of containerd's that has them
#
# Needs the packages of cluster.sh, and what the other scripts have made.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"
# shellcheck source=test/setup/images.sh
source "$here/images.sh"

base=$TOOLS/cluster-base/bookworm-1
build_base() {
  debootstrap --variant=minbase --include=iptables,iproute2,curl,procps,ca-certificates bookworm "$1/root"
  cd "$1"
  rm -rf root/var/cache/apt/* root/var/lib/apt/lists/* root/usr/share/{doc,man,locale,info}/* root/var/log/*
  tar --sort=name --mtime=@0 --numeric-owner -C root -cf base.tar .
  rm -rf root
}
expect="a minute" locked cluster-base install_dir "Debian for the images" "$base" build_base

image_inputs() {
  cat "$here/cluster-images.sh" "$here/images.sh" "$ROOT"/test/cluster/app/*.go
  readlink -f "$base" "$ROOT/bin/tools/"{envoy,pilot-agent,istio,lldb-22} "$ROOT/bin/sample/envoy"
  go version
}

# debugger LAYER PROGRAM FOLDER: puts a program and the libraries that base.tar lacks into
# the folder LAYER.
debugger() {
  local layer=$1 program=$2 library
  mkdir -p "$layer/$3"
  cp "$program" "$layer/$3/"
  tar -tf base.tar >base.list
  ldd "$program" | awk '$3 ~ "^/" {print $3}' | while read -r library; do
    if ! grep -q "/${library##*/}\$" base.list; then
      mkdir -p "$layer/usr/lib/$(uname -m)-linux-gnu"
      cp -L "$library" "$layer/usr/lib/$(uname -m)-linux-gnu/"
    fi
  done
}

build_images() {
  cd "$1"
  machine=$(go env GOARCH)
  local path='"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"' commit sidecar
  ln -s "$base/base.tar" base.tar

  mkdir app
  (cd "$ROOT" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$1/app/app" ./test/cluster/app)
  pack app
  image app:1 '{"Entrypoint":["/app"],"Cmd":["pause"]}' app

  mkdir -p pilot/usr/local/bin pilot/var/lib/istio/envoy
  cp -L "$ROOT/bin/tools/istio/pilot-discovery" pilot/usr/local/bin/
  cp -L "$ROOT/bin/tools/envoy_bootstrap_tmpl.json" pilot/var/lib/istio/envoy/
  pack pilot
  image pilot:1 "{\"Entrypoint\":[\"/usr/local/bin/pilot-discovery\"],\"User\":\"1337:1337\",\"Env\":[$path]}" base pilot

  # The sidecar's image as Istio lays it out, with a second Envoy: the sample, whose
  # source is here. The variable would name the commit that Envoy was built of.
  mkdir -p proxyv2/usr/local/bin proxyv2/var/lib/istio/envoy
  cp -L "$ROOT/bin/tools/pilot-agent" "$ROOT/bin/tools/envoy" proxyv2/usr/local/bin/
  cp -L "$ROOT/bin/sample/envoy" proxyv2/usr/local/bin/envoy-sample
  cp -L "$ROOT/bin/tools/envoy_bootstrap_tmpl.json" proxyv2/var/lib/istio/envoy/
  commit=$(sha1sum <proxyv2/usr/local/bin/envoy-sample | cut -d' ' -f1)
  pack proxyv2
  sidecar="{\"Entrypoint\":[\"/usr/local/bin/pilot-agent\"],\"WorkingDir\":\"/\",\"Env\":[$path,\"ISTIO_META_ISTIO_PROXY_SHA=istio-proxy:$commit\"]}"
  image proxyv2:1 "$sidecar" base proxyv2

  # Envoy's own image: only its entrypoint says what runs.
  image envoy:1 "{\"Entrypoint\":[\"/usr/local/bin/envoy\"],\"WorkingDir\":\"/\",\"Env\":[$path]}" base proxyv2

  # Like Istio's own distroless one, it has iptables and what that and Envoy link to.
  mkdir -p distroless/usr/bin
  tar -C distroless -xf base.tar --wildcards ./bin ./sbin ./lib ./lib64 ./usr/lib64 ./etc/passwd ./etc/group ./run \
    './usr/sbin/*tables*' './etc/alternatives/*tables*' './usr/lib/*/xtables' './usr/lib/*/ld-linux*' \
    './usr/lib/*/'lib{xtables,ip4tc,ip6tc,mnl,nftnl,c,m,rt,dl,pthread,gcc_s}.so.*
  pack distroless
  image proxyv2:1-distroless "$sidecar" distroless proxyv2

  # A debug image: Debian with an lldb-server where its package has it.
  debugger lldb "$(readlink -f "$ROOT/bin/tools/lldb-22/bin/lldb-server")" usr/lib/llvm-22/bin
  pack lldb
  image lldb:22 "{\"Cmd\":[\"sh\"],\"Env\":[$path]}" base lldb

  make_store "$1"
  find "$1" -mindepth 1 -maxdepth 1 ! -name store -exec rm -rf {} +
}

target=$TOOLS/cluster-images/$(hash image_inputs)
expect="a minute" locked cluster-images install_dir "images" "$target" build_images
expose "$target/store" cluster-images
