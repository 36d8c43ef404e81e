#!/usr/bin/env bash
# Istio for the test cluster, built from the same Go module as pilot-agent:
#   istio/    pilot-discovery, istioctl, and istio.yaml, what istioctl would install
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

istio=$ROOT/test/setup/istio
# What needs filters that only Istio's own Envoy has is off.
istio_values=(
  --set profile=minimal --set hub=envoydbg.test --set tag=1
  --set values.telemetry.enabled=false
  --set values.pilot.env.PILOT_ENABLE_METADATA_EXCHANGE=false
  --set meshConfig.enablePrometheusMerge=false
)
istio_inputs() {
  cat "$istio/go.mod" "$istio/go.sum" "$here/istio.sh"
  go version
}
build_istio() {
  cd "$istio"
  CGO_ENABLED=0 go build -p 2 -trimpath -ldflags '-s -w' -o "$1/" \
    istio.io/istio/pilot/cmd/pilot-discovery istio.io/istio/istioctl/cmd/istioctl
  HOME=$1 "$1/istioctl" manifest generate "${istio_values[@]}" >"$1/istio.yaml"
}
target=$TOOLS/istio/$(hash istio_inputs)
expect="3 to 8 minutes" locked istio install_dir "Istio" "$target" build_istio
expose "$target" istio
