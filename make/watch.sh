#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: make watch [PROFILE=quick] [EXP="e03 e07"]
#
# Wait for saved files; rebuild the pages they touch, as make sees it, and say which file made which target stale and
# how long it took; after an error, wait for the next save. Records are rerun in the quick profile, and those of the
# experiments named in EXP; what a save makes stale beyond that is named, since it may take many minutes. Ctrl-C ends.
set -u
die() { echo "make watch: $1" >&2; exit 2; }
command -v inotifywait >/dev/null 2>&1 || die 'inotifywait is not installed (make deps, or the package inotify-tools)'

folders() { # the experiments chosen, one a line
  [ $# -gt 0 ] || set -- 'e*'
  for choice in "$@"; do
    find templates/experiments -mindepth 1 -maxdepth 1 -type d \( -name "$choice" -o -name "${choice}_*" \) -printf '%f\n'
  done | sort -u
}
for choice in "$@"; do
  [ -n "$(folders "$choice")" ] || die "no experiment '$choice' in templates/experiments"
done
may_rerun() { if [ "$PROFILE" = quick ] || [ $# -gt 0 ]; then folders "$@"; fi; }

work=$(mktemp -d) || exit 2
waiter='' build=''
# shellcheck disable=SC2317  # called by traps
end() {
  trap - EXIT HUP INT TERM
  # shellcheck disable=SC2086
  kill $build $waiter 2>/dev/null
  wait
  rm -rf -- "$work"
  exit "$1"
}
trap 'end 2' EXIT
trap 'echo; end 0' INT
trap 'end 143' HUP TERM

# What editors leave beside a file is no news; a folder that comes may hold files already.
mkfifo "$work/events" || exit 2
inotifywait -m -r -e close_write,moved_to,moved_from,delete,create --format '%e %w%f' \
  --exclude '(~|\.sw[a-z]|\.part)$|/\.?#[^/]*$|/4913$' templates src data/frozen data/published >"$work/events" 2>"$work/setup" &
waiter=$!
exec 3<"$work/events"
until grep -q '^Watches established' "$work/setup"; do
  kill -0 "$waiter" 2>/dev/null || die "$(tail -n 1 "$work/setup")"
  sleep 0.05
done

# saved: the paths of a burst of events, each once; what is gone counts if nothing else happened
saved() {
  {
    echo "$1"
    while more=$(timeout --foreground 0.15 cat <&3); [ -n "$more" ]; do printf '%s\n' "$more"; done
  } | grep -vE '^CREATE ' | sed 's/^[^ ]* //' | sort -u >"$work/burst"
  while IFS= read -r path; do [ ! -e "$path" ] || echo "$path"; done <"$work/burst" >"$work/saved"
  [ -s "$work/saved" ] || cp "$work/burst" "$work/saved"
}
seconds() { awk -v from="$1" -v to="$(date +%s.%N)" 'BEGIN { printf "%.1f s", to - from }'; }

# rebuild: the pages of the chosen experiments; a record that may not be rerun is kept
rebuild() {
  started=$(date +%s.%N)
  goals='' keep='' missing=''
  may_rerun "$@" >"$work/rerun"
  for record in "$RESULTS"/*.h5; do
    grep -qxF "$(basename "$record" .h5)" "$work/rerun" || keep="$keep $record"
  done
  for e in $(folders "$@"); do
    if [ -e "$RESULTS/$e.h5" ] || grep -qxF "$e" "$work/rerun"; then
      goals="$goals $REPORTS/$e.en.$FORMAT $REPORTS/$e.zh.$FORMAT"
    else
      missing=yes
    fi
  done
  if [ $# -eq 0 ] && [ -z "$missing" ] && grep -q '^templates/views/' "$work/saved"; then goals="$goals views"; fi
  if [ $# -eq 0 ] && grep -q '^src/' "$work/saved"; then goals="programs $goals"; fi
  [ -n "$goals" ] || { echo '  no record to fill a page from: make records, or name an experiment in EXP'; return; }

  # shellcheck disable=SC2086
  $MAKE --no-print-directory -k -j2 --output-sync --trace KEEP="$keep" $goals >"$work/trace" 2>"$work/errors" &
  build=$!
  wait $build
  broken=$?
  build=''
  sed -n "s/^make.*\*\*\* \[[^ ]*: \(.*\)\] .*/target '\1'/p" "$work/errors" >"$work/failed"
  grep -vF -f "$work/failed" "$work/trace" | awk -v all=1 -f make/causes.awk >"$work/made"
  time=$(seconds "$started")
  sed 's/^/  made /' "$work/made"
  grep -vE '^make(\[[0-9]+\])?: (.*\] Error [0-9]+$|Target .* not remade because of errors)' "$work/errors" | sed 's/^/  /'
  if [ $broken -ne 0 ]; then
    echo "  failed after $time; waiting for the next save"
  elif [ -s "$work/made" ]; then
    echo "  $time"
  else
    echo '  nothing to rebuild'
  fi
  # What is left to whoever has the time.
  [ -s "$work/rerun" ] || ! grep -qvE '^templates/(views/|pandoc/|.*/report\.)' "$work/saved" ||
    $MAKE --no-print-directory -n --trace STATUS=1 records 2>/dev/null | awk -f make/causes.awk |
    sed 's/^/  not rerun: /; $s/$/ (make records, or name it in EXP)/'
}

echo "watching templates, src and data for ${*:-all experiments}, profile $PROFILE; Ctrl-C ends"
echo start >"$work/saved"
rebuild "$@"
while read -r event <&3; do
  saved "$event"
  [ -s "$work/saved" ] || continue
  awk -v now="$(date +%T)" 'NR <= 3 { names = names " " $0 } END { print now " saved" names (NR > 3 ? " and " NR - 3 " more" : "") }' "$work/saved"
  rebuild "$@"
done
die 'inotifywait has ended'
