package main

import (
	"strings"
	"time"
)

// gotestsum runs go test with the arguments after it, and --raw-command what
// prints the events of go test -json. It shows a line for each package, and what
// a failed test has printed.
const gotestsum = `go tool gotestsum --format "${GOTESTSUM_FORMAT:-pkgname-and-test-fails}" --format-hide-empty-pkg --junitfile "$JUNIT" `

// only is the package with those of its tests, for go test. A test looks for the names.
func only(pkg string, tests ...string) script {
	return script(pkg + " -run '^(" + strings.Join(tests, "|") + ")$'")
}

// suites in the order in which they run: what fails fastest comes first.
var suites = []suite{
	{name: "lint", checks: true, limit: 10 * time.Minute, script: `
		rc=0
		unformatted=$(find . -name node_modules -prune -o -name '*.go' -print0 | xargs -0 gofmt -l) || rc=1
		if [ -n "$unformatted" ]; then
			echo "gofmt -l: $unformatted"
			rc=1
		fi
		for folder in $(go list -f '{{.Dir}}' ./...); do
			if [ ! -e "$folder/doc.go" ]; then
				echo "$folder: no doc.go"
				rc=1
			fi
		done
		go vet ./... || rc=1
		go tool staticcheck ./... || rc=1
		npm run -s lint || rc=1
		exit $rc`},
	{name: "unit", limit: 15 * time.Minute, script: `
		packages=$(go list ./... | grep -vE '/test/(e2e|clients|bench|bazel|cluster/stories|cluster/arm64)(/|$)')
		` + gotestsum + `-- -race -timeout 10m $packages`},
	{name: "extension", limit: 5 * time.Minute, script: `npm run -s test:unit`},
	// A number of inputs and not a time, at whose end Go 1.26 may report "context
	// deadline exceeded" as a failure (golang/go#75804).
	{name: "fuzz", limit: 20 * time.Minute, script: `
		fuzz() {
			local rc=0 folder target
			while read -r folder target; do
				go test -json -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-200000x}" -fuzzminimizetime 1x "$folder" </dev/null || rc=1
			done < <(grep -roE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz\w+' . | sed -E 's#/[^/]*:func # #' | sort)
			return $rc
		}
		export -f fuzz
		export GOTESTSUM_FORMAT=${GOTESTSUM_FORMAT:-testname}
		` + gotestsum + `--raw-command bash -c fuzz`},
	// Before e2e, which debugs what it builds.
	{name: "bazel", limit: 21 * time.Minute, script: gotestsum + `-- -count=1 -timeout 20m ./test/bazel/...`},
	{name: "e2e", limit: 26 * time.Minute, script: gotestsum + `-- -count=1 -timeout 25m ./test/e2e/... ./test/bench/cost ./test/bench/race ./test/bench/sourcemap/...`},
	// What a link may change: the startup, and every end.
	{name: "tunnel", limit: 16 * time.Minute, script: `
		export ENVOYDBG_E2E_TARGET=tunnel
		` + gotestsum + `-- -count=1 -timeout 15m ` + only("./test/e2e",
		"TestEveryPartMayDieInEveryPhase",
		"TestStartupsThatGoWrong",
		"TestAStartupIsDebuggedFromMainOn",
		"TestAnLLDBServerThatWasStartedByHand",
		"TestAnLLDBServerByHandDoesNotWaitOn",
		"TestTheAgentStartsOnlyWhenTheDebugServerWaits",
		"TestEnvoyIsTheProcessItWouldBeWithoutADebugger")},
	// Of the stories in a cluster those without which nobody could work in one.
	{name: "cluster-core", root: true, limit: 11 * time.Minute, script: gotestsum + `-- -count=1 -timeout 10m ` + only("./test/cluster/stories",
		"TestAHeldSidecarHasTheRightsThatIstioGivesIt",
		"TestAHeldSidecarIsDebugged",
		"TestASidecarThatNobodyPreparedIsDebugged",
		"TestTheRealEnvoyTurnsReadyAfterItsDebuggedStart",
		"TestARequestStopsOnItsWayThroughEnvoy",
		"TestASessionRunsOverSPDYWhereWebSocketIsRefused",
		"TestASidecarWithoutAShellIsDebugged",
		"TestACutConnectionIsTakenUpAgain",
		"TestTheDocumentedRoleIsEnoughAndNoneOfItTooMuch",
		"TestDoctorFindsAHeldSidecarHealthy",
		"TestASecondSessionIsToldWhoHasTheFirst",
		"TestADeletedPodEndsTheSession")},
	{name: "cluster", apart: true, root: true, limit: 61 * time.Minute, script: gotestsum + `-- -count=1 -timeout 60m -p 1 ./test/cluster/stories ./test/bench/pod`},
	{name: "cluster-arm64", apart: true, root: true, limit: 41 * time.Minute, script: gotestsum + `-- -count=1 -timeout 40m ./test/cluster/arm64`},
	// The stories of e2e that make sense in a pod.
	{name: "cluster-e2e", apart: true, root: true, limit: 16 * time.Minute, script: `
		export ENVOYDBG_E2E_TARGET=cluster
		` + gotestsum + `-- -count=1 -timeout 15m ` + only("./test/e2e",
		"TestAStartupIsDebuggedFromMainOn",
		"TestTheAgentStartsOnlyWhenTheDebugServerWaits",
		"TestStartAgentIsRefusedWhereNobodyWaitsForIt",
		"TestCancellingTheProgressEndsTheWait",
		"TestDisconnectDuringTheWaitIsAnsweredAtOnce",
		"TestPresetsStopTheSample",
		"TestPresetsStopTheRealEnvoy",
		"TestAPresetWithoutAPlaceIsToldAndNoObstacle",
		"TestPresetsAndSourceBreakpointsGoTogether",
		"TestAPauseIsAPause",
		"TestRequestsAreAnsweredWhileEnvoyIsWaitedFor",
		"TestTheAgentsOutputCanGoToATerminal",
		"TestAStartThatFailsShowsItsPhases")},
	// What depends on the processor: the startup, steps, and what comes with a stop.
	{name: "arm64", apart: true, limit: 31 * time.Minute, script: `
		export ENVOYDBG_E2E_TARGET=arm64
		` + gotestsum + `-- -count=1 -timeout 30m ` + only("./test/e2e",
		"TestAStartupIsDebuggedFromMainOn",
		"TestFarAwayAStepIsTwoRoundTrips")},
	{name: "clients", limit: 11 * time.Minute, script: gotestsum + `-- -count=1 -timeout 10m ./test/clients/...`},
	{name: "npm-clients", limit: 10 * time.Minute, script: `npm run -s test:clients`},
	{name: "extension-host", limit: 8 * time.Minute, script: `npm run -s test:extension-host`},
	{name: "vscode", limit: 15 * time.Minute, script: `npm run -s test:vscode`},
	{name: "vscode-cluster", apart: true, root: true, limit: 15 * time.Minute, script: `npm run -s test:vscode-cluster`},
}

// suite is one script. It writes a JUnit report to the file $JUNIT, unless it is
// made of checks that are no tests: these count as one. When it has not ended
// after limit, it is ended and has failed.
type suite struct {
	name   string
	checks bool
	// apart: it runs only when it is named, and every other run says so.
	apart bool
	// root: it makes a node of a cluster, which takes root. A run of all suites by
	// somebody else leaves it out and says so; one that names it fails.
	root   bool
	limit  time.Duration
	script script
}
