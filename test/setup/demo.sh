#!/usr/bin/env bash
# Debugs the startup of the sample Envoy, started by the real pilot-agent, in
# this terminal. Arguments are passed on to `envoydbg run`.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Into an array by itself, so that its failure is seen.
variables=$("$here/agent.sh" --print "$folder" "$ROOT/bin/sample/envoy")
mapfile -t environment <<<"$variables"

cd "$folder"
env "${environment[@]}" PATH="$ROOT/bin/tools/lldb-19/bin:$PATH" \
  "$ROOT/bin/envoydbg" run \
  --target local \
  --program "$ROOT/bin/sample/envoy.debug" \
  --envoy-path "$ROOT/bin/sample/envoy" \
  --source-map "/proc/self/cwd=$ROOT/test/sample" \
  --break main \
  "$@" -- "$ROOT/bin/tools/pilot-agent" proxy sidecar
