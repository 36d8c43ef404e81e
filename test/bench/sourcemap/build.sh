#!/usr/bin/env bash
# Builds the programs whose line tables are read: build.sh big|small
#
# Each is made of generated C++ sources heavy with templates, at -O0 with DWARF
# 5. Every object goes into the program many times: nothing in it is a strong
# symbol, and a linker keeps the debug information of each copy. So a program
# has the units and the size of as many compilations as there are objects:
#
#   small   2 sources, 40 units, 0.1 GB: for the test
#   big    12 sources, 432 units, 1.1 GB: for docs/sourcemap-cost.md
#
# It prints the program's path, in $TOOLS/bench-sourcemap/<hash of what goes in>/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=test/setup/lib.sh
source ../../setup/lib.sh

case "${1:-}" in
small) sources=2 copies=20 ;;
big) sources=12 copies=36 ;;
*) die "build.sh big|small" ;;
esac
types=20 headers=80 # a header with a type, and small ones
hash=$({
  cat build.sh
  g++ --version
} | sha256sum | cut -c1-16)

# generate N: source N and its headers, below the working directory.
generate() {
  local i
  mkdir -p "source/part$1"
  for ((i = 0; i < headers; i++)); do
    printf '#pragma once\nnamespace part%s { inline int small%s(int x) { return x + %s; } }\n' "$1" "$i" "$i" >"source/part$1/small$i.h"
  done
  for ((i = 0; i < types; i++)); do
    cat >"source/part$1/type$i.h" <<END
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>
namespace part$1 {
struct Type$i {
  std::string name;
  std::vector<std::shared_ptr<Type$i>> children;
  std::map<std::string, std::variant<int, std::string, Type$i*>> values;
  std::unordered_map<int, std::function<int(const Type$i&)>> handlers;
  int total(int x) const {
    int sum = x;
    for (const auto& child : children) sum += child->total(x);
    for (const auto& [key, value] : values) sum += int(key.size() + value.index());
    for (const auto& [key, handler] : handlers) sum += key + handler(*this);
    return sum;
  }
};
}
END
  done
  {
    echo '#include <regex>'
    for ((i = 0; i < types; i++)); do echo "#include \"source/part$1/type$i.h\""; done
    for ((i = 0; i < headers; i++)); do echo "#include \"source/part$1/small$i.h\""; done
    echo "namespace part$1 { namespace {"
    echo 'int __attribute__((used)) run(int argc) { int sum = std::regex_match("a", std::regex("a|b"));'
    for ((i = 0; i < headers; i++)); do echo "sum += small$i(argc);"; done
    for ((i = 0; i < types; i++)); do
      echo "Type$i t$i; t$i.values[\"a\"] = argc; t$i.handlers[1] = [](const Type$i& t) { return t.total(1); }; sum += t$i.total(argc);"
    done
    echo 'return sum; } } }'
  } >"source/part$1/part.cc"
}

build() {
  local n copy objects=()
  cd "$1"
  mkdir objects
  echo 'int main() { return 0; }' >source.cc
  for ((n = 0; n < sources; n++)); do
    generate "$n"
    nice -n 19 g++ -std=c++17 -O0 -gdwarf-5 -iquote . "-fdebug-prefix-map=$PWD=/proc/self/cwd" \
      -c "source/part$n/part.cc" -o "objects/$n.o"
    for ((copy = 0; copy < copies; copy++)); do
      ln "objects/$n.o" "objects/$n-$copy.o"
      objects+=("objects/$n-$copy.o")
    done
  done
  nice -n 19 g++ -O0 -gdwarf-5 source.cc "${objects[@]}" -Wl,--build-id=sha1 -o program
  rm -r objects source source.cc
}
target=$TOOLS/bench-sourcemap/$hash-$1
expect="a minute or two" locked "bench-sourcemap-$1" install_dir "benchmark program, $1" "$target" build >&2
echo "$target/program"
