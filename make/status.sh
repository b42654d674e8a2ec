#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: make status [PROFILE=quick], or for its exit status sh make/status.sh
#
# What is stale and because of which saved file, as make itself sees it; what an experiment left that is gone; whether
# records agree with their frozen values; which reports are not committed. Builds nothing. Exit 0 all is up to date,
# 1 something is stale, 2 make cannot tell.
set -u
loggbook=${LOGGBOOK:-build/bin/loggbook}
reports=${REPORTS:-reports}
work=$(mktemp -d) || exit 2
trap 'rm -rf -- "$work"' EXIT
trap 'exit 2' HUP INT TERM

# shellcheck disable=SC2086
if ! ${MAKE:-make} --no-print-directory -n --trace STATUS=1 stages >"$work/trace" 2>"$work/err"; then
  cat "$work/err" >&2
  exit 2
fi
awk -v all="${V:-}" -f make/causes.awk "$work/trace"
stale=$?
[ $stale -le 1 ] || exit 2

# No rule makes these any more, so they are stale to nobody.
for file in "$reports"/e[0-9][0-9]_*.*.* data/frozen/*/e[0-9][0-9]_*.tsv; do
  name=${file##*/} name=${name%%.*}
  [ ! -e "$file" ] || [ -e "templates/experiments/$name" ] || printf '%s\t%s\n' "$name" "$file"
done >"$work/left"
if [ -s "$work/left" ]; then
  awk -F'\t' '{ if (!($1 in files)) names[++n] = $1; files[$1] = files[$1] " " $2 }
    END { for (i = 1; i <= n; i++) print "templates/experiments/" names[i] " is gone, delete what is left of it:" files[names[i]] }' "$work/left"
  stale=1
fi
[ $stale -eq 1 ] || echo 'everything is up to date'

# Only what was run as it stands can agree with what was frozen.
if [ ! -x "$loggbook" ] || grep -qE "target '[^']*(\.h5|/loggbook)'" "$work/trace"; then
  echo 'frozen values: not compared, records or loggbook are stale or not there'
else
  "$loggbook" verify "$@" >"$work/verify" 2>&1
  drift=$?
  case $drift in
  0) echo 'frozen values: the records agree' ;;
  1) awk -F: '/entries differ/ { sub(/ .*/, "", $1); text = text " " $1 } END { print "frozen values:" text " differ (make verify)" }' "$work/verify" ;;
  *) sed 's/^/frozen values: /' "$work/verify" | tail -n 1 ;;
  esac
fi
changed=$(git status --porcelain -- reports figures data/frozen 2>/dev/null | wc -l)
[ "$changed" -eq 0 ] || echo "not committed: files in reports, figures or data/frozen: $changed (git status)"
exit $stale
