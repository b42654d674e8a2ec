#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/crosscheck/run.sh [--full] NAME...
# Each module before its witness, tests/crosscheck/NAME.py; a witness that ends without comparing has failed. With
# --full the wall times of all stand in one table at the end. The last line adds them up.
set -u
cd "$(dirname "$0")/../.." || exit 2
full=
[ "${1-}" = --full ] && full=--full && shift
passed=0 failed=0
times=$(mktemp)
for name in "$@"; do
  log=$(mktemp)
  python3 "tests/crosscheck/$name.py" $full >"$log" 2>&1
  status=$?
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
  p=${line%% passed*} f=${line##*, }
  f=${f%% failed}
  if [ -z "$line" ] || [ "$p" -eq 0 ] || { [ $status -ne 0 ] && [ "$f" -eq 0 ]; }; then
    p=${p:-0} f=$((${f:-0} + 1))
    echo "crosscheck: $name ended with status $status"
  fi
  grep ', wall time ' "$log" >>"$times"
  grep -v -E '^[0-9]+ passed, [0-9]+ failed$|, wall time ' "$log"
  rm -f "$log"
  passed=$((passed + p)) failed=$((failed + f))
done
[ -s "$times" ] && printf '\n%-65s %10s : %10s\n' 'seconds and peak memory, one run' 'ours' 'witness' && cat "$times"
rm -f "$times"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
