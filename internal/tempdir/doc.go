// Package tempdir makes the folders of a session, for its sockets and whatever else
// it must put into a file: one beside the adapter and one beside Envoy.
//
//	Places ──▶ Make ──▶ Dir{Path, locked} ──▶ Remove
//	             └─ sweep: the folders there whose owners were killed
//
// A folder belongs to the processes that hold a lock on the file "lock" in it: the
// one that made it, and those that [Hold] it. The kernel lets go of the lock when a
// process is killed, and then the next Make in the same place removes the folder.
// The lock is of the kind that a fork does not pass on (fcntl(2)): a program that
// hangs between fork and exec must not keep the folder of a killed adapter.
//
// A place such as /tmp is everybody's. The sweep follows no link, and touches only
// what this user owns and no other user can have changed.
//
// The package has no goroutines.
package tempdir
