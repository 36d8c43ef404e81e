#!/usr/bin/env bash
# Debian's Bazel, for the workspace test/bazel/istio_proxy, the second compiler,
# and the tools that show what a compiler wrote (llvm-dwarfdump, dwp).
#
# Debian's version, 4.2.3, is pinned, because the workspace is made for it.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

"$here/apt.sh" g++ binutils bazel-bootstrap clang-19 llvm-19

version=$(dpkg-query -W -f '${Version}' bazel-bootstrap)
[[ $version == 4.2.3+* ]] || die "Bazel is $version, not the 4.2.3 that test/bazel is made for"
progress "Bazel" "$version"
