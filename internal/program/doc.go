// Package program finds the file of a program by the name that a user has given,
// and says why a file may not be used.
package program
