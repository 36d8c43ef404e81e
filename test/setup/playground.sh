#!/usr/bin/env bash
# Lays out a folder to try envoydbg in, ready for VS Code: playground.sh FOLDER
#
#   FOLDER/.vscode/   launch.json and tasks.json
#   FOLDER/source/    the sample Envoy's sources, with a Makefile and a WORKSPACE
#   FOLDER/bin/       envoy.debug and envoy; links to pilot-agent and to a released Envoy
#   FOLDER/agent/     what pilot-agent needs to run without istiod
#
# It can be run again: files that exist are kept, so that edits are not lost.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

[ $# -eq 1 ] || die "usage: playground.sh FOLDER"
"$here/apt.sh" g++ binutils lldb-19
"$here/envoy.sh"
"$here/pilot-agent.sh"

mkdir -p "$1"
folder=$(cd "$1" && pwd)
tar -c -C "$here/playground" . -C "$ROOT/test/sample" Makefile WORKSPACE source | tar -x --skip-old-files -C "$folder"
"$here/agent.sh" --print "$folder/agent" "$folder/bin/envoy" >/dev/null
expect="some seconds" timed "sample Envoy" make -C "$folder"
ln -sfn "$(readlink -f "$ROOT/bin/tools/pilot-agent")" "$folder/bin/pilot-agent"
ln -sfn "$(readlink -f "$ROOT/bin/tools/envoy")" "$folder/bin/released-envoy"

cat <<END

The playground is ready. Next:

  code --install-extension $ROOT/out/envoydbg.vsix   # once
  code $folder   # and press F5
END
