#!/usr/bin/env bash
# Debugs the startup of the sample Envoy, built by Bazel and started by the real
# pilot-agent, in this terminal: stops in MainCommon::main, shows the stack, steps,
# lets Envoy run until it serves, and ends everything.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

# The program with symbols stays where Bazel put it, below its work tree: this alone
# lets envoydbg find the sources. What runs is a stripped copy.
program=$ROOT/test/bazel/istio_proxy/bazel-bin/envoy
envoy=$ROOT/bin/sample/bazel/envoy
mkdir -p "${envoy%/*}"
objcopy --strip-all "$program" "$envoy"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# A separate assignment, so that a failure ends the script.
variables=$("$here/agent.sh" --print "$folder" "$envoy")
mapfile -t environment <<<"$variables"

script=(-x bt -x next -x continue -x 'await starting main dispatch loop' -x quit)

# Other arguments replace the script; "--" alone reads commands from the keyboard.
if [ "$#" -gt 0 ]; then
  script=("$@")
  [ "$1" != -- ] || script=()
fi

shown=
for argument in "${script[@]}"; do
  [[ $argument != *' '* ]] || argument="'$argument'"
  shown+="$argument "
done
cat <<END

Debugging the startup of a sample Envoy that the real pilot-agent starts:

  envoydbg run --program $program \\
    --envoy-path $envoy \\
    $shown-- pilot-agent proxy sidecar

  ✓ a phase of the startup   ● a stop   │ output of pilot-agent and Envoy

END
cd "$folder"
env "${environment[@]}" "$ROOT/bin/envoydbg" run \
  --lldb-dap "$ROOT/bin/tools/lldb-19/bin/lldb-dap" \
  --program "$program" \
  --envoy-path "$envoy" \
  "${script[@]}" -- "$ROOT/bin/tools/pilot-agent" proxy sidecar \
  --proxyLogLevel info --log_output_level default:warn,ca:none,cache:none,citadelclient:none,sds:none

[ "$#" -gt 0 ] || echo $'\nTo type the commands yourself: test/setup/demo.sh --\nTo do the same in VS Code: make playground'
