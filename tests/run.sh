#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/run.sh SUITE...
# Run each suite (a program or a .sh) and add up the line "N passed, N failed" each must end with. A suite that ends
# without one, or that ran nothing, has failed. The last line here is the sum.
set -u
passed=0 failed=0
for suite in "$@"; do
  name=$(basename "$suite" .sh)
  case $suite in
  tests/*/run.sh) name=$(basename "$(dirname "$suite")") ;;
  esac
  case $suite in
  *.sh) set -- sh "$suite" ;;
  *) set -- "./$suite" ;;
  esac
  log=$(mktemp)
  "$@" >"$log" 2>&1
  status=$?
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
  p=${line%% passed*} f=${line##*, }
  f=${f%% failed}
  if [ -z "$line" ] || [ "$p" -eq 0 ]; then
    p=0 f=1
  elif [ $status -ne 0 ] && [ "$f" -eq 0 ]; then
    f=1
  fi
  printf '%-14s %5d passed, %d failed\n' "$name" "$p" "$f"
  [ "$f" -eq 0 ] || cat "$log"
  rm -f "$log"
  passed=$((passed + p)) failed=$((failed + f))
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
