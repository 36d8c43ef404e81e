// Package linetable lists the source files of a program: those that the line
// tables of its DWARF name, spelled as LLDB spells them.
//
//	ELF ─▶ internal/elffile ─▶ .debug_line? ── no ─▶ debug file by build-id or .gnu_debuglink
//	                               │ yes                   │ (debugfile.go)
//	                               ◀───────────────────────┘
//	                               ▼
//	.debug_line ─▶ header ─(skip program)─▶ header ─▶ …          (line.go)
//	                  │ version ≤ 4: whose comp_dir?
//	                  └─▶ .debug_info, .debug_abbrev: first DIE  (info.go)
//	                  ▼
//	directories, names: numbers of strings not read yet           (names.go)
//	                  ▼
//	.debug_line_str, .debug_str: these strings, in one pass
//	                  ▼
//	comp_dir + directory + name, as LLDB spells it ─▶ Table        (spell.go)
//
// Lines reads the same, and then runs the line programs (program.go) that concern one
// file, for the lines of that file that have code (lines.go).
//
// Functions finds functions by their symbols, and by the line programs of their units
// where a breakpoint at each stops (functions.go, body.go).
//
// # What is read
//
// Each line table is a header with the names of directories and files, then a
// program of hundreds of KB that yields the rows (DWARF 5, section 6.2.4). Only
// the headers are read; unit_length leads from one to the next. Since version 5
// a header has all it needs: directory 0 is the compilation directory. Before,
// the directory is an attribute of the compilation unit whose DW_AT_stmt_list is
// the table's offset, so unit headers, one abbreviation and the first DIE are
// read, too (7.5.1, 7.5.3), and only as far as the tables need it: linkers keep
// both sections in the same order. Every section is read forwards (section.go),
// by pread or, when compressed, through an inflater that keeps one window. The
// strings are read at last, in the order of their offsets.
//
// MD5s are there in version 5 from clang, and only in units all of whose files
// have one. clang 19 has none for a file with "#pragma GCC system_header", as the
// headers of libstdc++ are: a unit that uses one of these has no MD5 at all.
//
// What a debugger finds by other ways is not read: names in line programs
// (DW_LNE_define_file, which no compiler emits), relocatable objects, files of
// dwz (.gnu_debugaltlink), and the line tables of .dwo files that are not in a
// package: a skeleton unit's table stays in the ELF itself and names all files
// with code, those in .dwo files serve only the declarations of type units.
//
// # Spelling
//
// LLDB 19 and 22 spell alike; a test compares. A file's path is its name when
// absolute, else directory/name when the directory is absolute, else
// comp_dir/directory/name. Then "." and empty components go, and ".." goes with
// the component before it, by text alone: a symbolic link before ".." is not
// followed. A relative comp_dir leaves a relative path: "." and src/a.cc give
// "src/a.cc", "../x" gives "../x/src/a.cc". Two leading slashes and what
// follows them stay, as POSIX allows. /proc/self/cwd stays as it is. Units in the
// 64-bit format and .zdebug sections, which are read here, LLDB does not see.
//
// # Bad input
//
// A *CorruptError names section and offset. One bad unit does not spoil the
// others: Read returns the Table of what was found together with the error.
// Every count is held against the bytes that are left, every name and header
// against a limit far beyond honest ones, so that memory is bounded by a small
// multiple of what is read.
//
// The package starts no goroutine, and keeps no file open. An open that hangs, as
// on a dead network mount, Read cannot leave; sourcemap.Load can.
package linetable
