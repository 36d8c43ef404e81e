#!/usr/bin/env bash
# Lays out a folder in which the real pilot-agent runs without istiod and starts
# it there: agent.sh DIR ENVOY [pilot-agent's further arguments]
#
# The image's paths are relative to the working folder, which is / in a pod:
#   DIR/var/run/secrets/istio/root-cert.pem
#   DIR/var/lib/istio/envoy/envoy_bootstrap_tmpl.json
#   DIR/etc/istio/proxy/         written by the agent
#   DIR/var/run/secrets/workload-spiffe-uds/socket   listened on by the agent
#
# With `--print` before DIR it lays out the folder, prints the agent's
# environment, one NAME=VALUE a line, and starts nothing.
#
# Ports: with no istiod the agent listens on statusPort (15020, all addresses)
# and Envoy on proxyAdminPort (127.0.0.1:15000); the sample Envoy on none. Two
# agents at once need different ports: AGENT_PORTS=25000 gives this one port 25000
# as proxyAdminPort and the next three for the rest. Neither port may be 0. If
# proxyAdminPort is in use, Envoy ends, and with it the agent (exit code 0). If
# statusPort is in use, the agent only prints an error. Go tests do not need this:
# each package has its own network (test/support/pidns).
#
# The agent gives Envoy terminationDrainDuration before it kills it: 5 s by default,
# 0.1 s here. Envoy logs warnings and errors only, unless the arguments contain
# --proxyLogLevel info.
set -euo pipefail
# shellcheck source=test/setup/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

print=
if [ "${1:-}" = --print ]; then
  print=yes
  shift
fi
[ $# -ge 2 ] || die "usage: agent.sh [--print] DIR ENVOY [ARGUMENT...]"
mkdir -p "$1"
dir=$(cd "$1" && pwd)
envoy=$2
shift 2

install -D -m 644 "$ROOT/bin/tools/root-cert.pem" "$dir/var/run/secrets/istio/root-cert.pem"
install -D -m 644 "$ROOT/bin/tools/envoy_bootstrap_tmpl.json" \
  "$dir/var/lib/istio/envoy/envoy_bootstrap_tmpl.json"

port=${AGENT_PORTS:-}
environment=(
  CLOUD_PLATFORM=none
  CA_ADDR=127.0.0.1:15012
  "ENVOY_PROMETHEUS_PORT=$((port ? port + 2 : 15090))"
  "ENVOY_STATUS_PORT=$((port ? port + 3 : 15021))"
  "PROXY_CONFIG={\"discoveryAddress\":\"127.0.0.1:15012\",\"binaryPath\":\"$envoy\",\"terminationDrainDuration\":\"0.1s\",\"proxyAdminPort\":$((port ? port : 15000)),\"statusPort\":$((port ? port + 1 : 15020))}"
)
if [ -n "$print" ]; then
  printf '%s\n' "${environment[@]}"
  exit
fi
cd "$dir"
exec env "${environment[@]}" "$ROOT/bin/tools/pilot-agent" proxy sidecar "$@"
