package main

import "time"

// suites in the order in which they run: what fails fastest comes first.
var suites = []suite{
	{"lint", script(`
		step gofmt      sh -c 'out=$(gofmt -l main.go adapter internal sourcemap test) && test -z "$out" || { echo "$out"; false; }'
		step vet        go vet ./...
		step staticcheck go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
		step extension  npm run -s lint
	`), countSteps, 10 * time.Minute},
	{"unit", script(`
		go test -json -race -timeout 5m $(go list ./... | grep -vE '/test/(e2e|clients|bench|bazel)(/|$)')
	`), countGo, 15 * time.Minute},
	{"extension", script(`npm run -s test:unit`), countNode, 5 * time.Minute},
	{"fuzz", script(`
		if ! packages=$(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...); then
			step "list the packages" false
		fi
		for package in $packages; do
			if ! listed=$(go test -list '^Fuzz' "$package"); then
				step "list the fuzzers of $package" false
			fi
			for target in $(grep '^Fuzz' <<<"$listed"); do
				step "$target of ${package##*/}" go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" -fuzzminimizetime 1x "$package" </dev/null
			done
		done
	`), countSteps, 20 * time.Minute},
	// Before e2e, which debugs what it builds.
	{"bazel", script(`go test -json -count=1 -timeout 20m ./test/bazel/...`), countGo, 21 * time.Minute},
	{"e2e", script(`go test -json -count=1 -timeout 25m ./test/e2e/... ./test/bench/...`), countGo, 26 * time.Minute},
	{"clients", script(`go test -json -count=1 -timeout 10m ./test/clients/...`), countGo, 11 * time.Minute},
	{"npm-clients", script(`npm run -s test:clients`), countNode, 10 * time.Minute},
	{"vscode", script(`npm run -s test:vscode`), countNode, 15 * time.Minute},
}

// suite is one command. Its output goes through count; when it has not ended
// after limit, it is ended and has failed.
type suite struct {
	name    string
	command []string
	count   func() counter
	limit   time.Duration
}

// script makes a bash script with a function `step NAME COMMAND...`, which runs
// a command and reports its end in a line that countSteps understands.
func script(text string) []string {
	const prelude = `set -uo pipefail
step() {
	local name=$1; shift
	if "$@"; then echo "STEP pass $name"; else echo "STEP fail $name"; fi
}
`
	return []string{"bash", "-c", prelude + text}
}
