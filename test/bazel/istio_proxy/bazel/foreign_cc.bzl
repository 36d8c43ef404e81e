"""Libraries built by their own build system inside one action.

Like rules_foreign_cc these run the compiler in a build_tmpdir under an absolute
path, the action's own working folder, which in a sandbox is gone afterwards.
Nothing tells the compiler to call that folder /proc/self/cwd.
"""

_PROLOGUE = """
set -eu
export EXT_BUILD_ROOT="$$PWD"
source="$(location {first})"
source_dir="$$EXT_BUILD_ROOT/$${{source%/{first}}}"
build_tmpdir="$$EXT_BUILD_ROOT/$(@D)/{lib}.build_tmpdir"
archive="$$EXT_BUILD_ROOT/$@"
mkdir -p "$$build_tmpdir"
"""

# As CMake writes its rules: every path is absolute.
_CMAKE = _PROLOGUE + """
cd "$$build_tmpdir"
for source in {sources}; do
  $(CC) $${{FOREIGN_CFLAGS:-}} -g -O0 -fPIC "-I$$source_dir/include" -c "$$source_dir/$$source" -o "$$(basename "$$source").o"
done
$(AR) rcsD "$$archive" *.o
"""

# As a Makefile in the source folder does, of which the action builds a copy:
# every path is relative, and the copy ends with the sandbox.
_MAKE = _PROLOGUE + """
cp -rL "$$source_dir/." "$$build_tmpdir"
cd "$$build_tmpdir"
for source in {sources}; do
  cd "$$build_tmpdir/$$(dirname "$$source")"
  $(CC) $${{FOREIGN_CFLAGS:-}} -g -O0 -fPIC -I../include -c "$$(basename "$$source")" -o "$$(basename "$$source").o"
  $(AR) rcsD "$$archive" "$$(basename "$$source").o"
done
"""

def _foreign(name, lib, sources, headers, command):
    native.genrule(
        name = name,
        srcs = sources + headers,
        outs = ["lib%s.a" % lib],
        cmd = command.format(
            lib = lib,
            first = sources[0],
            sources = " ".join(sources),
        ),
        toolchains = ["@bazel_tools//tools/cpp:current_cc_toolchain"],
    )

def cmake(name, lib, sources, headers):
    """lib<lib>.a of an external repository's sources, with absolute paths."""
    _foreign(name, lib, sources, headers, _CMAKE)

def make(name, lib, sources, headers):
    """lib<lib>.a of an external repository's sources, with relative paths."""
    _foreign(name, lib, sources, headers, _MAKE)
