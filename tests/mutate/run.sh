#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/mutate/run.sh
#
# A small draw of what `make mutate` does in full: the gates pass on the quick profile as it is, and catch nearly all
# of what is spoilt in copies of it. Needs the pages of tests/quick.sh. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/lib.sh
ls build/quick/reports/*.html >/dev/null 2>&1 || { echo "tests/mutate needs HTML: make PROFILE=quick html" >&2; exit 2; }
mutate() { python3 tests/mutate/mutate.py "$@"; }

ok 'nearly all of a small draw is caught' mutate --each 2 --score "$work/score" e02_piecewise e03_validation
ok 'of every kind something was made' sh -c "[ \$(wc -l <'$work/score') -gt 30 ] && ! awk 'NR > 1 && \$0 ~ / 0 +0 *\$/' '$work/score' | grep ."
ok 'the full score covers the same kinds' sh -c "awk '{ print substr(\$0, 1, 27) }' '$work/score' >'$work/a'; awk '{ print substr(\$0, 1, 27) }' tests/mutate/score.txt | cmp - '$work/a'"
ok 'the full score is enough' awk '$1 == "all" { good = $3 >= 0.95 * $2 && $2 >= 300 } END { exit !good }' tests/mutate/score.txt
ok 'no such experiment: exit 2' sh -c "python3 tests/mutate/mutate.py --each 1 e77_none >'$work/out' 2>&1; [ \$? -eq 2 ]"

sum
