#!/usr/bin/env bash
# Installs the Debian packages that are missing: apt.sh PACKAGE...
set -euo pipefail
# shellcheck source=test/setup/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

missing() {
  local package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      echo "$package"
    fi
  done
}

# The archive keeps only the newest point releases, so old package lists may name
# files that no longer exist.
lists_are_old() {
  # The lists carry the archive's times; the folder that they are fetched into
  # carries ours.
  [ -z "$(find /var/lib/apt/lists/partial -maxdepth 0 -mmin -1440 -print -quit 2>/dev/null)" ] ||
    [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -print -quit)" ]
}

# The lists may also lack an archive that was added after they were fetched.
lists_lack() {
  local package
  for package in "$@"; do
    apt-cache --quiet=0 policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]' || return 0
  done
  return 1
}

install_missing() {
  local packages
  mapfile -t packages < <(missing "$@")
  if [ "${#packages[@]}" -eq 0 ]; then
    progress "Debian packages" "present: $*"
    return
  fi
  if lists_are_old || lists_lack "${packages[@]}"; then
    timed "apt-get update" as_root apt-get -q update
  fi
  expect="a minute or two" timed "apt-get install ${packages[*]}" as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qy -o DPkg::Lock::Timeout=300 install --no-install-recommends "${packages[@]}"
}

locked apt install_missing "$@"
