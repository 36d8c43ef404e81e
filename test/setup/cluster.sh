#!/usr/bin/env bash
# What the test cluster (test/cluster) is made of. containerd, runc, the network's
# plugins and the root of the images come from Debian, all else is built from
# published Go modules. Run setup.sh before it.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

[ "$(id -u)" -eq 0 ] || die "the cluster needs root: run this with sudo"
started=$SECONDS
[ -d "$TOOLS/kube" ] || echo "The first time takes 10 to 20 minutes."
"$here/apt.sh" containerd runc containernetworking-plugins debootstrap iptables iproute2
"$here/kube.sh"
"$here/istio.sh"
"$here/cluster-images.sh"
progress "set-up of the cluster complete" "$((SECONDS - started)) s"
