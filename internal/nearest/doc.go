// Package nearest finds the names that resemble a name, for messages that say what
// the user may have meant.
//
// The distance of two names is the number of letters to insert, remove, replace or
// swap with their neighbour that makes one of the other, without regard to case
// (the optimal string alignment distance). The package has no goroutines.
package nearest
