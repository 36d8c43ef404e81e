// Package elffile walks the headers of an ELF file: segments, sections, notes.
//
//	file ─▶ ELF header ─▶ program headers ─▶ PT_NOTE ───────┬─▶ BuildID
//	              │                 SHT_NOTE ───────────────┘
//	              └─────▶ section headers ─▶ each Section, its Name on demand
//	                              └────────▶ .symtab ─▶ Functions, Named
//
// debug/elf reads and keeps all headers, all names, and on some questions whole
// sections. Here only what is asked for is read, in pieces of fixed size, so
// that a file of many GB costs as little as a small one and a hostile file costs
// no more memory than an honest one. The package starts no goroutine.
package elffile
