// Package fault is the one catalogue of what can go wrong in front of the user.
//
//	any package ──error──▶ adapter ──▶ fault.Xxx(evidence…) ──▶ DAP error response / terminal / output
//
// There is one constructor per error; it fixes the number, the sentence and the
// one thing to do, and takes the evidence. Numbers are never reused:
//
//	ED10xx configuration, command line        catalogue_launch.go
//	ED11xx programs on this side              catalogue_programs.go
//	ED12xx what is beside Envoy               catalogue_beside.go
//	ED13xx startup: agent, gate, attach       catalogue_starting.go
//	ED14xx the session later on               catalogue_running.go
//	ED15xx the connection to a far helper     catalogue_connection.go
//	ED16xx clusters                           catalogue_cluster.go
//	ED19xx the adapter itself                 catalogue_machine.go
//
// A text names launch attributes by Name and Assign, which say flags on the command line
// of envoydbg run, and brings errors of Go's packages by text or plain, without Go's words.
//
// docs/errors.md lists them all; a test keeps the two in step.
package fault
