// Package pty makes terminals for tests: one end is a person's keyboard and screen,
// the other is what programs have as their terminal.
package pty
