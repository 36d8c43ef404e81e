// Command suites runs the test suites named by its arguments, or all of them,
// one after the other, and ends with a table and the line "N passed, N failed".
//
//	suites.go   the list: each suite is a bash script with a time limit
//	run.go      runs one and decides how it went
//	junit.go    counts the tests in the report that the suite has written
//
// The tests are run and shown by gotestsum (Go) and node --test (TypeScript).
// Both write a JUnit report to the file that $JUNIT names, which is
// out/junit/SUITE.xml. As in gotestsum's own totals, a test with subtests counts
// as well as each of them.
//
// The exit code is 1 when a test failed or was skipped, or when a suite ran no
// test: a suite that could not run has failed. A suite that was left out counts as
// nothing and has a line in the table that says why.
//
// GOTESTSUM_FORMAT=standard-verbose shows all output of the Go tests.
//
// It has no goroutines but those of os/exec.
package main
