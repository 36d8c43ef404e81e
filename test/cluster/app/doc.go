// Command app is what the test cluster's own containers run:
//
//	app pause            holds a pod's namespaces and reaps, as Kubernetes' pause does
//	app serve ADDRESS    answers each request with one line about it
//	app get URL          makes one request and prints the answer
//
// It is one static program, so an image of it needs nothing else.
//
// Goroutines: those of net/http in serve.
package main
