#!/usr/bin/env bash
# Builds the sample Envoy: envoy.debug with symbols, and the stripped envoy of
# the same build-id, which is the one that runs.
#
# Both go to $TOOLS/sample/<hash of what goes in>/; bin/sample/ in the checkout
# points there. The DWARF names each file as Bazel does, relative to
# /proc/self/cwd, so a debugger finds no source without a map.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=test/setup/lib.sh
source ../setup/lib.sh

mapfile -t sources < <(find source -name '*.cc' | LC_ALL=C sort)
# shellcheck disable=SC2054 # the commas are the linker's
flags=(
  -std=c++17 -O0 -gdwarf-5 -Wall -Wextra -Werror -fPIE -pie -pthread
  -iquote .
  "-fdebug-prefix-map=$PWD=/proc/self/cwd"
  # As in the real Envoy: nothing but the C library is loaded at run time.
  -static-libstdc++ -static-libgcc
  -Wl,--build-id=sha1
)

hash=$({
  find source -type f | LC_ALL=C sort | xargs sha256sum
  sha256sum <build.sh
  g++ --version
} | sha256sum | cut -c1-16)
target=$TOOLS/sample/$hash

build() {
  g++ "${flags[@]}" "${sources[@]}" -o "$1/envoy.debug"
  objcopy --strip-all "$1/envoy.debug" "$1/envoy"
}
locked sample install_dir "sample Envoy ${hash:0:8}" "$target" build

mkdir -p "$ROOT/bin/sample"
ln -sfn "$target/envoy.debug" "$ROOT/bin/sample/envoy.debug"
ln -sfn "$target/envoy" "$ROOT/bin/sample/envoy"
