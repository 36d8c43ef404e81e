#!/usr/bin/env bash
# The real pilot-agent, built from the Go module in istio/, and what it
# needs to run without istiod (see agent.sh):
#   pilot-agent
#   envoy_bootstrap_tmpl.json   the template of Envoy's bootstrap configuration
#   root-cert.pem               any valid certificate; its CA is never used
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

version=$(cd "$here/istio" && go list -m -f '{{.Version}}' istio.io/istio)
target=$TOOLS/pilot-agent/$version

build() {
  cd "$ROOT/test/setup/istio"
  CGO_ENABLED=0 go build -v -trimpath -ldflags '-s -w' -o "$1/" istio.io/istio/pilot/cmd/pilot-agent
  cp "$(go list -m -f '{{.Dir}}' istio.io/istio)/tools/packaging/common/envoy_bootstrap.json" \
    "$1/envoy_bootstrap_tmpl.json"
  cd "$1"
  go run "$(go env GOROOT)/src/crypto/tls/generate_cert.go" --ca --host localhost --duration 87600h
  mv cert.pem root-cert.pem
  rm key.pem
}
expect="2 to 5 minutes" locked pilot-agent install_dir "pilot-agent ${version##*-}" "$target" build

for file in pilot-agent envoy_bootstrap_tmpl.json root-cert.pem; do
  expose "$target/$file" "$file"
done
