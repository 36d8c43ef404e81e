#!/usr/bin/env bash
# Builds the sample Envoy: envoy.debug with symbols, and the stripped envoy of
# the same build-id, which is the one that runs.
#
# The Makefile beside this says how. Both go to $TOOLS/sample/<hash of what goes in>/;
# bin/sample/ in the checkout points there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=test/setup/lib.sh
source ../setup/lib.sh

hash=$({
  find source -type f | LC_ALL=C sort | xargs sha256sum
  sha256sum <Makefile
  g++ --version
} | sha256sum | cut -c1-16)
target=$TOOLS/sample/$hash

build() { make OUT="$1"; }
expect="some seconds" locked sample install_dir "sample Envoy ${hash:0:8}" "$target" build

mkdir -p "$ROOT/bin/sample"
ln -sfn "$target/envoy.debug" "$ROOT/bin/sample/envoy.debug"
ln -sfn "$target/envoy" "$ROOT/bin/sample/envoy"
