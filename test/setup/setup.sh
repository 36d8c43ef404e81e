#!/usr/bin/env bash
# Installs and builds what the demo needs, and with --all what the tests need:
# setup.sh [--all]
#
# It can be run at any time, even twice at once: what exists is kept. Fetched and
# built tools go to $ENVOYDBG_TOOLS (default ~/.cache/envoydbg-tools), which all
# checkouts share; bin/tools/ and bin/sample/ of this checkout point there.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

# need COMMAND ADVICE: ends the set-up with the advice if the command is missing.
need() { command -v "$1" >/dev/null || die "$1 is missing: $2"; }
need apt-get "the set-up installs Debian packages; run it on Debian 12"
need go "install Go 1.26 or newer"
need npm "install Node 20.19 or newer"
node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' ||
  die "Node is $(node --version): install 20.19 or newer"

started=$SECONDS
echo "Setting up. Fetched and built tools go to $TOOLS and are shared by all checkouts."
[ -d "$TOOLS/pilot-agent" ] || echo "The first time takes up to 10 minutes."
"$here/apt.sh" g++ binutils
"$here/lldb.sh"
"$here/envoy.sh"
"$here/pilot-agent.sh"
"$here/../sample/build.sh"
"$here/bazel.sh"
# With the sandbox that needs no permissions, so that it also works in containers.
"$here/../bazel/build.sh" --in-place processwrapper
if [ "${1:-}" = --all ]; then
  "$here/apt.sh" chromium emacs-nox elpa-dap-mode python3 make clang-19 llvm-19 libc++-19-dev libc++abi-19-dev
  "$here/code-server.sh"
  "$here/../bench/program/build.sh" small >/dev/null
  if [ "$(id -u)" -eq 0 ]; then
    "$here/cluster.sh"
  else
    progress "cluster" "NOT SET UP: needs root"
  fi
fi
progress "set-up complete" "$((SECONDS - started)) s"
