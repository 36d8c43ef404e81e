#!/bin/sh
# Stands for pilot-agent, which also prepares a configuration and then starts Envoy.
echo "agent: starting Envoy"
exec envoy -c "$(dirname "$0")/envoy.json" --concurrency 2
