#!/usr/bin/env bash
# Builds the workspace istio_proxy with Bazel, in one of the variants of its
# .bazelrc:
#
#   build.sh VARIANT                       into $TOOLS/bazel/<hash>/VARIANT, to
#                                          which bin/bazel/VARIANT points
#   build.sh VARIANT OUT [BAZEL-OPTION...] into the folder OUT
#   build.sh --in-place VARIANT            in the checkout
#
# The first two build copies of the sources:
#
#   OUT/bazel/istio_proxy/   the workspace, with its links bazel-bin, bazel-out, ...
#   OUT/bazel/fetched/       what its external repositories are made of
#   OUT/sample/              the external repository envoy
#   OUT/home/                Bazel's $HOME; so its output_base is
#                            OUT/home/.cache/bazel/_bazel_$USER/<md5 of the workspace's path>
#
# In place it is test/bazel/istio_proxy of the checkout and $TOOLS/bazel/home.
# The results are bazel-bin/envoy in the workspace and, with fission,
# bazel-bin/envoy.dwp. What is built already is left alone. No server stays, and
# no network is needed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/setup/lib.sh
source "$here/../setup/lib.sh"

in_place=
if [ "${1:-}" = --in-place ]; then
  in_place=yes
  shift
fi
[ $# -ge 1 ] || die "usage: build.sh [--in-place] VARIANT [OUT [BAZEL-OPTION...]]"
variant=$1
shift
grep -q "^build:$variant " "$here/istio_proxy/.bazelrc" ||
  die "no variant is named $variant: see test/bazel/istio_proxy/.bazelrc"
command -v bazel >/dev/null || die "bazel is missing: run test/setup/bazel.sh"

inputs=(bazel/build.sh bazel/fetched bazel/istio_proxy bazel/rules sample/BUILD.bazel
  sample/WORKSPACE sample/source)
hash=$({
  cd "$here/.."
  # -type f leaves out Bazel's links, which are in the workspace.
  find "${inputs[@]}" -type f | LC_ALL=C sort | xargs sha256sum
  g++ --version
  clang-19 --version
  dpkg-query -W bazel-bootstrap
} | sha256sum | cut -c1-16)

label="Bazel build, $variant"
if [ -n "$in_place" ]; then
  label="demo's Envoy, built with Bazel"
  tree=$(dirname "$here")
  home=$TOOLS/bazel/home
else
  tree=${1:-$TOOLS/bazel/$hash/$variant}
  shift $(($# > 0))
  mkdir -p "$tree"
  tree=$(cd "$tree" && pwd)
  home=$tree/home
fi
workspace=$tree/bazel/istio_proxy
targets=(//:envoy)
case $variant in
  clang-fission | fission-dwarf4) targets+=(//:envoy.dwp) ;;
esac

copy_sources() {
  local name
  for name in "${inputs[@]}"; do
    # Bazel's links stay; the files are this build's own.
    if [ "$name" = bazel/istio_proxy ]; then
      mkdir -p "$workspace"
      find "$workspace" -mindepth 1 -maxdepth 1 ! -name 'bazel-*' -exec rm -rf {} +
      find "$here/istio_proxy" -mindepth 1 -maxdepth 1 ! -name 'bazel-*' -exec cp -r {} "$workspace/" \;
    else
      rm -rf "${tree:?}/$name"
      mkdir -p "$(dirname "$tree/$name")"
      cp -r "$here/../$name" "$tree/$name"
    fi
  done
}

# Bazel, with an environment that is the same everywhere. Its sandbox tells
# every step it takes, which is left out.
run_bazel() {
  mkdir -p "$home"
  cd "$workspace"
  env -i PATH="$workspace/bazel/tools:/usr/bin:/bin" LANG=C.UTF-8 HOME="$home" USER="${USER:-$(id -un)}" \
    nice bazel build --config="$variant" --curses=no --show_progress_rate_limit=1 --color=no "$@" 2>&1 |
    sed -u '/src\/main\/tools\/linux-sandbox/d'
  remove_sandboxes
}

# A server removes sandboxes as it goes; without one the last of them stays, and
# with it paths that are usually gone. The folder in /dev/shm is named after the
# output_base.
remove_sandboxes() {
  local output_base sum
  output_base=$(readlink bazel-out)
  output_base=${output_base%/execroot/*}
  sum=$(printf %s "$output_base" | sha256sum)
  rm -rf "${output_base:?}/sandbox" "/dev/shm/bazel-sandbox.${sum%% *}"
}

build() {
  [ -n "$in_place" ] || copy_sources
  run_bazel "$@"
  echo "$stamp" >"$built"
}

# What was built last of this workspace; checkouts built in place share $home.
stamp="$variant $hash $*"
built=$home/built-$(printf %s "$workspace" | sha256sum | cut -c1-16)
build_once() {
  local target missing=
  for target in "${targets[@]}"; do
    [ -e "$workspace/bazel-bin/${target#//:}" ] || missing=yes
  done
  if [ -z "$missing" ] && [ "$(cat "$built" 2>/dev/null)" = "$stamp" ]; then
    progress "$label" "present"
  else
    expect="about a minute" timed "$label" build "$@" "${targets[@]}"
  fi
}
locked bazel build_once "$@"

if [ "$tree" = "$TOOLS/bazel/$hash/$variant" ]; then
  mkdir -p "$ROOT/bin/bazel"
  ln -sfn "$tree" "$ROOT/bin/bazel/$variant"
fi
