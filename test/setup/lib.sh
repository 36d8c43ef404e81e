# Shared by the set-up scripts, to be sourced. Gives them
#   ROOT   the checkout
#   TOOLS  where fetched and built tools live; shared by all checkouts
# and the functions below. The caller has set -euo pipefail.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
TOOLS=${ENVOYDBG_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/envoydbg-tools}
mkdir -p "$TOOLS"

die() {
  echo "set-up: $*" >&2
  exit 1
}

# as_root COMMAND...: runs the command as root.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# progress LABEL NOTE: one line of the report.
progress() { printf '  %-34s %s\n' "$1" "$2"; }

# timed LABEL COMMAND...: runs the command and reports how long it took; what it
# printed is shown only when it fails. The line begins before the command does, with
# $expect if it is set: how long the command usually takes. While it runs, the line
# goes on: on a terminal with the seconds and the last line that the command has
# printed, else with the time every ten seconds.
timed() {
  local label=$1 log rc started=$EPOCHREALTIME line watcher
  shift
  printf -v line '  %-34s %s' "$label" "${expect:+takes $expect ... }"
  printf %s "$line"
  log=$(mktemp)
  watch "$line" "$log" &
  watcher=$!
  # A subshell on its own, not after || or if, so that set -e applies inside.
  set +e
  (
    set -euo pipefail
    "$@"
  ) </dev/null >"$log" 2>&1
  rc=$?
  kill "$watcher"
  wait "$watcher" 2>/dev/null
  set -e
  ! is_terminal || printf '\r\e[K%s' "$line"
  if [ "$rc" -ne 0 ]; then
    echo "failed"
    cat "$log" >&2
    rm -f "$log"
    die "$label failed (exit code $rc)"
  fi
  rm -f "$log"
  awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s\n", b - a }'
}

is_terminal() { [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; }

# watch LINE LOG: continues the line of timed until it is killed or, since Ctrl-C does
# not reach it, the script has ended.
watch() {
  local line=$1 log=$2 seconds=0 columns last silence
  exec {silence}<> <(:) # never has anything to read, so that read waits
  while ! read -r -t 1 -u "$silence" && kill -0 $$ 2>/dev/null; do
    seconds=$((seconds + 1))
    if is_terminal; then
      columns=$(tput cols || echo 80)
      last=$(tail -c 400 "$log" | tr -cd '[:print:]\n' | sed -n '/[^ ]/h; ${x;p}')
      last="$line$seconds s  $last"
      printf '\r\e[K%s' "${last:0:columns - 1}"
    elif [ $((seconds % 10)) -eq 0 ]; then
      printf '%s s ... ' "$seconds"
    fi
  done
}

# locked NAME COMMAND...: runs the command while no other set-up runs one of
# that name.
locked() {
  local lock rc
  exec {lock}>"$TOOLS/.$1.lock"
  if ! flock --nonblock "$lock"; then
    progress "$1" "waiting for another set-up to finish"
    flock "$lock"
  fi
  shift
  "$@"
  exec {lock}>&-
}

# install_dir LABEL DIR BUILD: makes DIR once. BUILD is called with an empty folder
# beside DIR, which becomes DIR when BUILD succeeds. So DIR is either complete or
# does not exist.
install_dir() {
  local label=$1 dir=$2 build=$3 new
  if [ -e "$dir/.complete" ]; then
    progress "$label" "present"
    return
  fi
  mkdir -p "$(dirname "$dir")"
  rm -rf "$dir" "$dir".new.*
  new=$(mktemp -d "$dir.new.XXXXXX")
  chmod 755 "$new"
  timed "$label" "$build" "$new"
  touch "$new/.complete"
  mv -T "$new" "$dir"
}

# hash COMMAND...: a short name for what the command prints.
hash() { "$@" | sha256sum | cut -c1-16; }

# expose PATH NAME: makes the tool at PATH, which contains its version, available in
# the checkout as bin/tools/NAME.
expose() {
  mkdir -p "$ROOT/bin/tools"
  ln -sfn "$1" "$ROOT/bin/tools/$2"
}
