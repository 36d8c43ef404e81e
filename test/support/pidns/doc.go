// Package pidns runs the tests of one package in their own PID namespace, with
// their own /proc and a network that has only loopback.
//
// Debug servers in these tests wait for a process by its name, and could catch one
// of another test run or of the machine. Agents and Envoys listen on fixed ports.
// And a failed test may leave processes behind. Inside, only the tests' own
// processes are visible, every port is free, no packet gets out, and whatever is
// left ends with the namespace.
//
//	func TestMain(m *testing.M) { pidns.Main(m) }
//
// makes three processes of one test binary:
//
//	outside   what `go test` started: makes the namespaces, passes signals in
//	   │      and the exit code out
//	   ▼      clone(NEWPID|NEWNS|NEWNET, and NEWUSER when not root), dies with it
//	init      PID 1: mounts /proc, brings loopback up, reaps orphans, passes
//	   │      signals in and the exit code out
//	   ▼      fork
//	test      runs the tests
//
// Init ends when the tests have ended, and the kernel then ends every process left
// inside. An environment variable, which the tests do not see, says which stage a
// process is.
//
// Goroutines: outside and init each have one, which forwards signals until the
// process exits.
package pidns
