# SPDX-License-Identifier: GPL-3.0-or-later
# What the test suites in shell share: `. tests/lib.sh` gives a folder $work that goes with the suite, `ok`, `no` and
# `sum`, the last call of each.
work=$(mktemp -d) || exit 2
trap 'rm -rf -- "$work"' EXIT
trap 'exit 2' HUP INT TERM
passed=0 failed=0

ok() { # ok CLAIM COMMAND...: the claim holds if the command succeeds
  claim=$1
  shift
  if "$@" >"$work/why" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL  $claim" >&2
    sed 's/^/      /' "$work/why" | tail -n 12 >&2
  fi
}

no() { ! "$@"; }

sum() { # the last line of a suite, and its exit status: a suite that checked nothing has failed
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
