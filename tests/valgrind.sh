#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/valgrind.sh LOGS PROGRAM...
# Criterion hides valgrind's exit status, so the logs decide: any error or definite leak fails.
set -u
logs=$1
shift
rm -rf "$logs" && mkdir -p "$logs"
for program in "$@"; do
  OMP_NUM_THREADS=1 valgrind -q --trace-children=yes --trace-children-skip='*/git,*/sed' --suppressions="$PWD/tests/valgrind.supp" \
    --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    --log-file="$logs/$(basename "$program").%p" "$program" -j1 || exit 1
done
find "$logs" -type f -size +0 -exec cat {} + | tee "$logs/all" | head -n 200
[ ! -s "$logs/all" ]
