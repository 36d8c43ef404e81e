// Package elfinfo reads the few facts about an ELF file that decide whether a
// local program is the one that runs beside Envoy: build-id, machine, and
// whether it carries symbols and DWARF.
//
//	file ─▶ internal/elffile ─▶ build-id, machine, sections ─▶ Info
//
// Only headers, names and notes are read, never the contents of a section, so
// that a file of many GB costs as little as a small one and a hostile file
// costs no more memory than an honest one. The package starts no goroutine.
package elfinfo
