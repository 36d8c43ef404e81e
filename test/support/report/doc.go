// Package report writes what a benchmark has measured into a page of the docs.
//
//	page.md:  text by hand
//	          <!-- begin NAME: written by make TARGET -->
//	          what Replace puts here
//	          <!-- end NAME -->
//	          text by hand
//
// It has no goroutines.
package report
