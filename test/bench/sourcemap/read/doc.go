// Command read lists the source files of an ELF file, one per line, with one of
// two packages:
//
//	read linetable|stdlib ELF
//
// The last line on stderr has three numbers: the time taken in nanoseconds, the
// peak resident memory in KB, and the bytes read from the file if known.
//
// It has no goroutines.
package main
