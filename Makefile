# On Debian 12 with Go, Node and make, these install what they need:
#
#   make demo         debugs the startup of a sample Envoy in this terminal
#   make playground   makes a folder to do the same in VS Code
#   make test         runs all tests; those in a cluster need root
#
# and as root, for a cluster to try things in:
#
#   make cluster-up, make cluster-down
#
# The other targets are for work on the project. After `make test` or
# `make setup-all` each suite can be run by itself: make unit, make e2e, ...

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# package.json has the version; the commit tells builds between two of them apart.
version := $(shell sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)$(shell git describe --always --dirty=.changed --exclude '*' 2>/dev/null | sed 's/^/+/')
stamp := -X github.com/envoydbg/envoydbg/internal/version.stamp=$(version)

go_sources := $(shell find . -path ./node_modules -prune -o -name '*.go' -print)
suites := lint unit extension fuzz bazel e2e tunnel cluster-core cluster cluster-arm64 cluster-e2e arm64 clients npm-clients extension-host vscode vscode-cluster

.PHONY: demo playground screenshot vsix vsix-all test build setup setup-all setup-cluster setup-arm64 setup-arm64-node cluster-up cluster-down bench bench-race bench-cost bench-sourcemap bench-size bench-pod bench-pod-race clean $(suites)

demo: setup build
	test/setup/demo.sh

# Another folder: make playground PLAYGROUND=~/playground
PLAYGROUND = out/playground
playground: vsix
	test/setup/playground.sh "$(PLAYGROUND)"

# The extension for this machine, and for all kinds of machine that it can be had for.
vsix_kinds := linux-x64 linux-arm64 darwin-x64 darwin-arm64
vsix: out/extension.js build
	@kind=$$(go env GOOS)-$$(go env GOARCH | sed s/amd64/x64/); \
	STAMP='$(stamp)' extension/package.sh $$kind && cp out/envoydbg-$$kind.vsix out/envoydbg.vsix

vsix-all: out/extension.js build
	@for kind in $(vsix_kinds); do STAMP='$(stamp)' extension/package.sh $$kind; done

out/extension.js: node_modules/.package-lock.json package.json tsconfig.json $(shell find extension/src -name '*.ts')
	npm run -s build

# The picture of the README, made by the stories in VS Code.
screenshot: vscode
	cp out/screenshots/stopped.png docs/vscode.png

test: setup-all build bin/cluster
	go run ./test/suites

$(suites): build node_modules/.package-lock.json
	go run ./test/suites $@

# Measures the race (docs/race.md, half an hour), the cost of the adapter
# (docs/proxy-cost.md, some minutes), and the cost of listing a big program's sources
# (docs/sourcemap-cost.md, some minutes), and what a session costs with a program of
# Envoy's size (docs/size.md, a quarter of an hour, and 4 GB of disk). The machine should
# be idle.
bench: bench-race bench-cost bench-sourcemap bench-size

bench-race: setup build
	go test -run '^$$' -bench Race -benchtime 1x -timeout 3h ./test/bench/race

bench-cost: setup build
	go test -run '^$$' -bench Cost -benchtime 1x -timeout 1h ./test/bench/cost

bench-sourcemap: setup
	go test -run '^$$' -bench Read -benchtime 1x -timeout 1h ./test/bench/sourcemap

bench-size: setup build
	go test -run Size -timeout 2h ./test/bench/size

# These need root, and take the cluster up: the race in a pod (docs/race.md, a quarter
# of an hour), and what a session in a pod costs (docs/cluster-cost.md, as long).
bench-pod-race: setup-cluster bin/cluster build
	go test -run '^$$' -bench Race -benchtime 1x -timeout 3h ./test/bench/pod

bench-pod: setup-cluster bin/cluster build
	go test -run '^$$' -bench 'Phases|Far|Tunnel' -benchtime 1x -timeout 3h ./test/bench/pod

cluster-core cluster cluster-e2e vscode-cluster: setup-cluster bin/cluster

arm64: setup-arm64

cluster-arm64: setup-arm64-node bin/cluster

build: bin/envoydbg bin/envoydbg-helper-linux-amd64 bin/envoydbg-helper-linux-arm64

bin/envoydbg: $(go_sources) go.mod go.sum
	@echo "Building envoydbg: up to a minute the first time."
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w $(stamp)' -o $@ .

bin/envoydbg-helper-linux-%: $(go_sources) go.mod go.sum
	CGO_ENABLED=0 GOOS=linux GOARCH=$* go build -trimpath -ldflags '-s -w $(stamp)' -o $@ ./adapter/helper/envoydbg-helper

setup:
	test/setup/setup.sh

setup-all: node_modules/.package-lock.json
	test/setup/setup.sh --all

setup-cluster: setup
	test/setup/cluster.sh

setup-arm64: setup
	test/setup/arm64.sh

setup-arm64-node: setup-cluster
	test/setup/arm64-node.sh

cluster-up: setup-cluster bin/cluster
	bin/cluster up

cluster-down: bin/cluster
	bin/cluster down

bin/cluster: $(go_sources) go.mod go.sum
	CGO_ENABLED=0 go build -trimpath -o $@ ./test/cluster

node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node 20.19 or newer"; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	touch $@

# Removes what was built here, but not the tools that all checkouts share.
clean:
	rm -rf bin out
