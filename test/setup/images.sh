# Images for containerd, to be sourced after lib.sh. Gives the functions below, which work
# in the current folder. $machine is the images', by the name that Go has for it.
# shellcheck shell=bash

manifest=()

# pack NAME: makes the layer NAME.tar of the folder NAME.
pack() {
  tar --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0 -C "$1" -cf "$1.tar" .
  rm -rf "$1"
}

# image TAG CONFIG LAYER...: adds an image of these layers, lowest first, to the
# archive. CONFIG is the image's own part of the configuration.
image() {
  local tag=$1 config=$2 layer diffs=() files=()
  shift 2
  for layer in "$@"; do
    diffs+=("\"sha256:$(sha256sum <"$layer.tar" | cut -d' ' -f1)\"")
    files+=("\"$layer.tar\"")
  done
  local IFS=,
  printf '{"architecture":"%s","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]}}' \
    "$machine" "$config" "${diffs[*]}" >"${tag//[:\/]/-}.json"
  manifest+=("{\"Config\":\"${tag//[:\/]/-}.json\",\"RepoTags\":[\"envoydbg.test/$tag\"],\"Layers\":[${files[*]}]}")
}

# make_store DIR: makes DIR/store, a containerd's store, of the images that were added in
# DIR. This containerd and its mounts end with a namespace of their own.
make_store() {
  local IFS=,
  echo "[${manifest[*]}]" >manifest.json
  tar -chf images.tar -- *.json *.tar
  unset IFS
  cat >containerd.toml <<END
version = 2
root = "$1/store"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
[grpc]
  address = "/run/containerd.sock"
END
  # shellcheck disable=SC2016 # the inner shell expands it
  platform=linux/$machine unshare --pid --fork --kill-child --mount-proc --mount --net bash -euo pipefail -c '
    mount -t tmpfs tmpfs /run
    containerd --config containerd.toml &
    for _ in $(seq 300); do
      [ ! -S /run/containerd.sock ] || break
      sleep 0.1
    done
    ctr -a /run/containerd.sock -n k8s.io images import --snapshotter overlayfs --platform "$platform" images.tar
    ctr -a /run/containerd.sock -n k8s.io images ls
    kill %1
    wait %1 || true'
}
