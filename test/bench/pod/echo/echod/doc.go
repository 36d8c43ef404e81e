// Command echod is package echo for a pod:
//
//	echod serve UNIX TCP             serves at a socket and at an address
//	echod measure TCP ROUNDS BYTES   prints the speed as JSON
package main
