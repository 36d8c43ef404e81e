#!/usr/bin/env bash
# LLDB 19 and 22 side by side: lldb-dap and lldb-server of both, with their Python,
# which formats C++ values.
#
# The packages lldb-19 and lldb-22 cannot be installed together, because their Python
# bindings conflict. So LLDB 19 is installed, and of LLDB 22 only the shared
# libraries; its programs and its Python module are unpacked into a separate folder.
# liblldb looks for the module by its own path (`lldb -P` prints where), so liblldb is
# unpacked there, too; the installed one brings the libraries that it needs.
#
# The major versions are pinned. Point releases cannot be: the archive drops one when
# the next comes. The exact versions are printed.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=test/setup/lib.sh
source "$here/lib.sh"

# version_of BIN MAJOR: what lldb-server prints. lldb-dap 19 has no --version (it prints
# nothing and exits with 0), but comes from the same package. If it starts, its
# libraries are found.
version_of() {
  "$1/lldb-dap" --help >/dev/null || die "$1/lldb-dap does not start"
  "$1/lldb-server" version 2>&1 | grep -oE "\b$2\.[0-9]+\.[0-9]+" ||
    die "$1/lldb-server is no LLDB $2"
}

# needs_python BIN: LLDB imports its Python module.
needs_python() {
  "$1/lldb" --no-lldbinit --batch -o 'script --language python -- import lldb; print("py" + "thon")' 2>&1 |
    grep -qx python || die "$1/lldb has no working Python"
}

# compile FOLDER: compiles LLDB's Python module, once. Debian's package does not, and where
# LLDB may not write it does so at each start, for 0.2 s.
compile() {
  local module
  module=$(echo "$1"/lib/python3*/site-packages/lldb)
  [ -e "$module/__pycache__" ] || as_root /usr/bin/python3 -m compileall -q "$module"
}

# use FOLDER MAJOR: checks an LLDB and makes it available.
use() {
  local version
  compile "$1"
  version=$(version_of "$1/bin" "$2")
  needs_python "$1/bin"
  expose "$1" "lldb-$2"
  progress "LLDB $2" "$version, with Python"
}

installed_version() { dpkg-query -W -f '${Version}' "$1"; }

"$here/apt.sh" lldb-19 liblldb-22

version_22=$(installed_version liblldb-22)
unpack_22() {
  local package
  cd "$1"
  for package in lldb-22 liblldb-22 python3-lldb-22; do
    apt-get -q download "$package=$version_22"
    dpkg -x "$package"_*.deb .
    rm "$package"_*.deb
  done
}
# The folder is named after what is in it, so that when apt upgrades the libraries, the
# matching programs are unpacked.
programs=$TOOLS/lldb-22-python-$(tr -c 'A-Za-z0-9.\n' _ <<<"$version_22")
locked lldb-22 install_dir "lldb-22 (unpacked)" "$programs" unpack_22

use /usr/lib/llvm-19 19
use "$programs/usr/lib/llvm-22" 22
