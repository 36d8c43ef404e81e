// Package hold is the held form of a pod or a workload, and its undo: pure functions on
// objects. It reaches no cluster; package kube brings the objects and takes the results
// back.
//
//	live pod, or the pod that the      Copy          a pod of its own: parked, in no
//	webhook makes of a template  ─────────────────▶  Service, with a deadline
//
//	workload  ──── Workload ────▶ JSON patch that holds it ──▶ held workload
//	    ▲                                                           │
//	    └──────────── JSON patch, kept in the object ◀── Undo ──────┘
//
// Held is what carries the label [Label]; its annotation [Annotation] has the [Record]: who
// holds it, since when, and what it was before. So whoever finds the object can undo it,
// whatever has become of the one that made it.
//
// Goroutines: none.
package hold
