#!/usr/bin/env bash
# Builds the programs of the benchmarks that are about size: build.sh small|big|envoy|variants
#
# Each is made of generated C++ sources heavy with templates, at -O0 with DWARF 5, and
# has the units and the size of many compilations:
#
#   small   2 sources,    40 units, 0.1 GB: for the test of test/bench/sourcemap
#   big    12 sources,   432 units, 1.1 GB: for docs/sourcemap-cost.md
#   envoy   8 sources, 5,000 units, 1.3 GB: for docs/size.md. It is the sample Envoy
#           with that much beside it, so a whole session can run on it
#   variants  the same with 1,200 units, 0.3 GB, in several forms: each in a folder of
#           its own, with all that belongs to it
#
# In small and big every object goes into the program many times: nothing in it is a
# strong symbol, and a linker keeps the debug information of each copy. In the others each
# copy has names of its own, which are put in place of the source's in the object: they
# are as long. So it has as many symbols and source files as a real one.
#
# It prints the program's path, in $TOOLS/bench-program/<hash of what goes in>/. Beside
# that of envoy is its stripped copy, program.stripped, as in each folder of variants.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=test/setup/lib.sh
source ../../setup/lib.sh

# named: each copy has names of its own.
named= types=20 headers=80 # a header with a type, and small ones
define=()
case "${1:-}" in
small) sources=2 copies=20 ;;
big) sources=12 copies=36 ;;
envoy) sources=8 copies=625 named=1 types=1 headers=10 define=(-DLIGHT) ;;
variants) sources=8 copies=150 named=1 types=1 headers=10 define=(-DLIGHT) ;;
*) die "build.sh small|big|envoy|variants" ;;
esac
size=$1
hash=$({
  cat build.sh
  [ -z "$named" ] || (cd ../../sample && find source -type f | LC_ALL=C sort | xargs sha256sum)
  g++ --version
} | sha256sum | cut -c1-16)

# generate PART: a source and its headers, below the working directory.
generate() {
  local part=$1 i
  mkdir -p "source/$part"
  for ((i = 0; i < headers; i++)); do
    printf '#pragma once\nnamespace %s { inline int small%s(int x) { return x + %s; } }\n' "$part" "$i" "$i" >"source/$part/small$i.h"
  done
  for ((i = 0; i < types; i++)); do
    cat >"source/$part/type$i.h" <<END
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>
namespace $part {
struct Type$i {
  std::string name;
  std::vector<std::shared_ptr<Type$i>> children;
  std::map<std::string, std::variant<int, std::string, Type$i*>> values;
#ifndef LIGHT
  std::unordered_map<int, std::function<int(const Type$i&)>> handlers;
#endif
  int total(int x) const {
    int sum = x;
    for (const auto& child : children) sum += child->total(x);
    for (const auto& [key, value] : values) sum += int(key.size() + value.index());
#ifndef LIGHT
    for (const auto& [key, handler] : handlers) sum += key + handler(*this);
#endif
    return sum;
  }
};
}
END
  done
  {
    printf '#ifndef LIGHT\n#include <regex>\n#endif\n'
    for ((i = 0; i < types; i++)); do echo "#include \"source/$part/type$i.h\""; done
    for ((i = 0; i < headers; i++)); do echo "#include \"source/$part/small$i.h\""; done
    echo "namespace $part { namespace {"
    echo 'int __attribute__((used)) run(int argc) { int sum = 0;'
    printf '#ifndef LIGHT\nsum += std::regex_match("a", std::regex("a|b"));\n#endif\n'
    for ((i = 0; i < headers; i++)); do echo "sum += small$i(argc);"; done
    for ((i = 0; i < types; i++)); do
      echo "Type$i t$i; t$i.values[\"a\"] = argc; sum += t$i.total(argc);"
      printf '#ifndef LIGHT\nt%s.handlers[1] = [](const Type%s& t) { return t.total(1); };\n#endif\n' "$i" "$i"
    done
    echo 'return sum; } } }'
  } >"source/$part/part.cc"
}

# copies_of PART FROM: objects/PART.o once more for each copy, numbered from FROM.
copies_of() {
  local copy name kind
  for ((copy = $2; copy < $2 + copies; copy++)); do
    printf -v name 'part%04d' "$copy"
    for kind in o dwo; do
      [ -f "objects/$1.$kind" ] || continue
      if [ -n "$named" ]; then
        LC_ALL=C sed "s/$1/$name/g" "objects/$1.$kind" >"objects/$name.$kind"
      else
        ln "objects/$1.$kind" "objects/$name.$kind"
      fi
    done
    objects+=("objects/$name.o")
  done
}

# identify PART: its name becomes the number by which its two halves find each other, so
# that each copy has one of its own, too: both have eight bytes.
identify() {
  local id
  id=$(readelf --debug-dump=info "objects/$1.dwo" | sed -n 's/.*DWO ID: *0x//p')
  [ "${#id}" -eq 16 ] || die "objects/$1.dwo has the id \"$id\""
  perl -0777 -pi -e 'BEGIN { $id = reverse pack "H*", shift; $name = shift } s/\Q$id/$name/g or die "no id"' \
    "$id" "$1" "objects/$1.o" "objects/$1.dwo"
}

compiler=g++

# link PROGRAM FLAG...: compiles and links all of it into a program.
link() {
  local program=$1 n part objects=() source
  shift
  mkdir -p objects
  for ((n = 0; n < sources; n++)); do
    part=$(printf 'base%04d' "$n")
    [ -d "source/$part" ] || generate "$part"
    nice -n 19 "$compiler" "${flags[@]}" "$@" -c "source/$part/part.cc" -o "objects/$part.o"
    [ ! -f "objects/$part.dwo" ] || identify "$part"
    copies_of "$part" $((n * copies))
  done
  for source in "${main[@]}"; do
    part=main$(tr / _ <<<"${source%.cc}")
    nice -n 19 "$compiler" "${flags[@]}" "$@" -pthread -c "$source" -o "objects/$part.o"
    objects+=("objects/$part.o")
  done
  printf '%s\n' "${objects[@]}" >list
  nice -n 19 g++ -pthread -static-libstdc++ -static-libgcc @list -Wl,--build-id=sha1 -o "$program"
  [ -z "$named" ] || objcopy --strip-all "$program" "$program.stripped"
}

# variants: the forms in which debug information comes, beside the plain one.
variants() {
  local form id
  for form in plain gz debuglink build-id gdb-index debug-names dwp; do mkdir $form; done
  link plain/program
  for form in gz debuglink build-id gdb-index debug-names; do ln plain/program.stripped $form/; done
  nice -n 19 objcopy --compress-debug-sections=zlib plain/program gz/program
  nice -n 19 objcopy --only-keep-debug plain/program debuglink/program.debug
  objcopy --add-gnu-debuglink=debuglink/program.debug plain/program.stripped debuglink/program
  id=$(readelf --notes plain/program | sed -n 's/.*Build ID: //p')
  mkdir -p "build-id/.build-id/${id:0:2}"
  ln debuglink/program.debug "build-id/.build-id/${id:0:2}/${id:2}.debug"
  ln plain/program.stripped build-id/program
  cp plain/program gdb-index/
  nice -n 19 gdb-add-index gdb-index/program
  nice -n 19 llvm-dwarfutil-19 --no-garbage-collection --build-accelerator=DWARF plain/program debug-names/program
  rm -r objects
  # Of gcc's .dwo files of DWARF 5 llvm-dwp 19 reads some for ever, and binutils' dwp dies.
  compiler=clang++-19
  link dwp/program -gsplit-dwarf
  nice -n 19 llvm-dwp-19 -e dwp/program -o dwp/program.dwp
}

build() {
  local main=(source/main.cc)
  cd "$1"
  mkdir -p source
  if [ -n "$named" ]; then
    cp -r "$ROOT/test/sample/source" .
    mapfile -t main < <(find source -name '*.cc' | LC_ALL=C sort)
  else
    echo 'int main() { return 0; }' >source/main.cc
  fi
  flags=(-std=c++17 -O0 -gdwarf-5 -iquote . "-fdebug-prefix-map=$PWD=/proc/self/cwd" "${define[@]}")
  if [ "$size" = variants ]; then variants; else link program; fi
  rm -r objects source list
}
[ "$size" != variants ] || ../../setup/apt.sh gdb clang-19 llvm-19 >&2
target=$TOOLS/bench-program/$hash-$size
expect="minutes" locked "bench-program-$size" install_dir "benchmark program, $size" "$target" build >&2
[ "$size" != variants ] || target+=/plain
echo "$target/program"
