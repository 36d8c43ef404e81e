// Package nearest finds the name that somebody has probably meant.
package nearest
