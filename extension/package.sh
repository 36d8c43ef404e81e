#!/usr/bin/env bash
# Makes the extension for one kind of machine: package.sh linux-x64|linux-arm64|darwin-x64|darwin-arm64
#
# What goes in is laid out in out/vsix/KIND first: the bundle, envoydbg for that machine, the
# helpers for both kinds of machine that Envoy runs on, the pages that the extension shows,
# and the sample. The same commit gives the same bytes, wherever it is checked out. It prints
# the path of the package, out/envoydbg-KIND.vsix.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kind=${1:-}
case "$kind" in
linux-x64) export GOOS=linux GOARCH=amd64 ;;
linux-arm64) export GOOS=linux GOARCH=arm64 ;;
darwin-x64) export GOOS=darwin GOARCH=amd64 ;;
darwin-arm64) export GOOS=darwin GOARCH=arm64 ;;
*)
  echo "usage: package.sh linux-x64|linux-arm64|darwin-x64|darwin-arm64" >&2
  exit 2
  ;;
esac

stage=out/vsix/$kind
rm -rf "$stage"
mkdir -p "$stage/bin" "$stage/out" "$stage/docs" "$stage/extension/media" "$stage/sample"
# All anew, and not from bin/: what is there may carry the stamp of an earlier commit.
export CGO_ENABLED=0
go build -trimpath -ldflags "-s -w ${STAMP:-}" -o "$stage/bin/envoydbg" .
for arch in amd64 arm64; do
  GOOS=linux GOARCH=$arch go build -trimpath -ldflags "-s -w ${STAMP:-}" -o "$stage/bin/envoydbg-helper-linux-$arch" ./adapter/helper/envoydbg-helper
done
cp out/extension.js "$stage/out"
cp docs/*.md docs/*.png "$stage/docs"
cp -r extension/media/{icon.png,walkthrough} "$stage/extension/media"
cp README.md CHANGELOG.md "$stage"
cp -r test/sample/{Makefile,WORKSPACE,source} extension/sample/. "$stage/sample"
cp test/setup/playground/.vscode/tasks.json "$stage/sample/.vscode"
# Scripts and development are for a checkout.
node -e 'const m = JSON.parse(require("fs").readFileSync("package.json")); delete m.scripts; delete m.devDependencies; process.stdout.write(JSON.stringify(m, null, 2) + "\n")' >"$stage/package.json"

package=$PWD/out/envoydbg-$kind.vsix
vsce=$PWD/node_modules/.bin/vsce
# The time of the commit, by which vsce also sorts what it packs.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1735689600)
export SOURCE_DATE_EPOCH
# A package has the local time and the files' modes; neither may depend on who makes it.
export TZ=UTC
chmod -R u=rwX,go=rX "$stage"
(cd "$stage" && "$vsce" package --target "$kind" --no-rewrite-relative-links --no-dependencies --allow-missing-repository --skip-license --out "$package" >/dev/null)
echo "$package ($(du -h "$package" | cut -f1))"
