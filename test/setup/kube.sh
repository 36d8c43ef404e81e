#!/usr/bin/env bash
# Kubernetes for the test cluster, built from Go modules:
#   kube/     etcd, Kubernetes' programs and kubectl, all links to one program
#   coredns   the names of the cluster's services
#
# The folders are named after what goes in.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

kube=$ROOT/test/cluster/kube
kube_inputs() {
  cat "$kube/go.mod" "$kube/go.sum" "$kube/main.go" "$here/kube.sh"
  go version
}
kube_programs=(etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl)

build_kube() {
  cd "$kube"
  local version minor stamps name
  version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
  minor=${version#v1.}
  # What a release's programs say of themselves; Istio asks the kubelet.
  for name in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    stamps+=" -X $name.gitVersion=$version -X $name.gitMajor=1 -X $name.gitMinor=${minor%%.*}"
  done
  CGO_ENABLED=0 go build -p 2 -trimpath -ldflags "-s -w$stamps" -o "$1/kube" .
  for name in "${kube_programs[@]}"; do
    ln -s kube "$1/$name"
  done
}
target=$TOOLS/kube/$(hash kube_inputs)
expect="5 to 15 minutes" locked kube install_dir "Kubernetes" "$target" build_kube
expose "$target" kube
expose "$target/kubectl" kubectl

dns=$ROOT/test/cluster/dns
dns_inputs() {
  cat "$dns/go.mod" "$dns/go.sum" "$dns/main.go"
  go version
}
build_dns() {
  cd "$dns"
  CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$1/coredns" .
}
target=$TOOLS/coredns/$(hash dns_inputs)
expect="a minute or two" locked coredns install_dir "CoreDNS" "$target" build_dns
expose "$target/coredns" coredns
