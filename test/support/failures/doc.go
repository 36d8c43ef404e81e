// Package failures compares what tests have seen of failures with the tables of
// docs/failures.md, or writes them there.
//
//	tests ─▶ Table.Add ─▶ Table.Check ◀─▶ docs/failures.md
//
// It has no goroutines.
package failures
