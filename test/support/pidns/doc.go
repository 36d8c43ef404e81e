// Package pidns gives the tests of one package a world of their own: PID
// namespace, /proc and a network that has nothing but loopback.
//
// Debug servers in these tests wait for a process by its name, and would catch
// one of another test run, or of the machine; agents and Envoys listen on fixed
// ports; and a failed test may leave processes behind. Inside, no process but
// the tests' own is seen, no port is taken, no packet gets out, and all that is
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
// Init ends when the tests have ended, and with it the kernel ends every
// process left inside. The stage is handed over in an environment variable,
// which the tests do not see.
//
// Goroutines: outside and init each have one, which forwards signals until the
// process exits.
package pidns
