#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/import/run.sh
#
# `loggbook import`: three colleagues' scripts feed a report; whatever is wrong with their numbers is one error that
# names it, exit 2, and leaves the record as it was. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/lib.sh
home=$work/templates/experiments/e90_colleague
mkdir -p "$home"
cp -r templates/views "$work/templates/"
cp tests/import/spec.yaml tests/import/report.??.md "$home/"
record=$work/results/e90_colleague.h5 numbers=$work/numbers.json
loggbook() {
  command=$1
  shift
  build/bin/loggbook "$command" --profile toy --templates "$work/templates" --results "$work/results" \
    --frozen "$work/frozen" --figures "$work/figures" "$@"
}
import() { loggbook import "$numbers" --as e90; }
page() { loggbook fill --lang "$1" e90 >"$work/page.$1.md"; }
holds() { grep -qF -- "$2" "$1" || { echo "not in $1: $2"; cat "$1"; return 1; }; }

for script in 'python3 tests/import/fit.py' 'sh tests/import/fit.sh' 'Rscript --vanilla tests/import/fit.R'; do
  language=${script##*.}
  command -v "${script%% *}" >/dev/null 2>&1 || { echo "note: no ${script%% *}, its example is not run"; continue; }
  rm -rf "$work/results"
  ok "$language: the script runs" sh -c "$script >'$numbers'"
  ok "$language: it is imported" import
  for lang in en zh; do
    ok "$language: the report is filled ($lang)" page $lang
    ok "$language: with its numbers ($lang)" holds "$work/page.$lang.md" '0.9892'
    ok "$language: and its verdict ($lang)" holds "$work/page.$lang.md" 'PASS ✅'
    ok "$language: and where they came from ($lang)" holds "$work/page.$lang.md" "fit.$language"
  done
  ok "$language: lint is content" sh -c 'grep -q " 0 errors" "$1"' - /dev/stdin <<END
$(loggbook lint e90)
END
  ok "$language: the record says that it was imported" sh -c 'grep -q "imported.from *numbers.json" "$1"' - /dev/stdin <<END
$(loggbook why e90.r2)
END
done

cp "$record" "$work/first.h5"
loggbook numbers e90 >"$numbers"
loggbook numbers --tsv e90 | grep -v '^#' | sort >"$work/a"
ok 'the export is a file to import' import
loggbook numbers --tsv e90 | grep -v '^#' | sort >"$work/b"
ok 'and gives the same numbers' cmp "$work/a" "$work/b"
ok 'it freezes' loggbook freeze --reason 'a test' e90
ok 'and verifies' loggbook verify e90

cp "$work/first.h5" "$record"
python3 tests/import/fit.py >"$work/aside"
refused() { # refused CLAIM PATTERN [OLD NEW]: the numbers with OLD become NEW are refused
  cp "$work/aside" "$numbers"
  [ $# -lt 4 ] || python3 -c 'import sys; p, a, b = sys.argv[1:]; s = open(p).read(); assert a in s, a; open(p, "w").write(s.replace(a, b, 1))' "$numbers" "$3" "$4" || failed=$((failed + 1))
  refused_as "$1" "$2" e90
}
refused_as() { # the file as it stands
  loggbook import "$numbers" --as "$3" >"$work/out" 2>"$work/err"
  got=$?
  ok "$1: exit 2" test $got -eq 2
  ok "$1: one message" sh -c "[ \$(wc -l <'$work/err') -eq 1 ]"
  ok "$1: it says so" sh -c 'grep -qE -- "$1" "$2" || { cat "$2"; exit 1; }' - "$2" "$work/err"
  ok "$1: the record is as it was" cmp "$work/first.h5" "$record"
  ok "$1: nothing half-written" sh -c "! find '$work' -name '*.part' | grep ."
}
refused 'cut short' 'numbers.json:[0-9]+:[0-9]+: ' '}}' '}'
refused 'NaN' 'numbers.json:1:[0-9]+: ' '"se": 0.004' '"se": NaN'
refused 'a key twice' "numbers.json:1:[0-9]+: .*uplicate" '"e90.slope"' '"e90.r2"'
refused 'a key of another experiment' "'e91.slope' is no key of e90: they begin with 'e90.'" '"e90.slope"' '"e91.slope"'
refused 'a key that is none' "numbers.json: .*e90.Slope" '"e90.slope"' '"e90.Slope"'
refused 'a misspelt field' "e90.slope: no field 'untt': did you mean 'unit'" '"unit"' '"untt"'
refused 'no kind' 'e90.slope: it is no object with a kind' '"kind": "slope", ' ''
refused 'no value' 'e90.slope' '"kind": "slope", "value": ' '"kind": "slope", "se": '
refused 'a value that is no number' 'e90.r2: value is no number' '"kind": "r2", "value": ' '"kind": "r2", "value": [1], "digits": '
refused 'an interval upside down' 'e90.r2' '"ci": [0.98' '"ci": [1.98'
refused 'half an interval' 'e90.r2: ci is not' '"ci": [' '"ci": [1, '
refused 'a row set that is not there' "no entry 'rowset:six points'" '"rowset": "five points"' '"rowset": "six points"'
refused 'another number of rows' 'five points|n = 7|7 rows' '"rowset": "five points", "n": 5' '"rowset": "five points", "n": 7'
refused 'a negative count' 'is no whole number' '"n": 5' '"n": -5'
refused 'a kind that is too long' 'kind is longer than 23 characters' '"kind": "slope"' '"kind": "slope of a line through five points"'
refused 'a gain without a row set' 'e90.gain.*row set' '"e90.slope": {' '"e90.gain": {"kind": "delta_r2", "value": 0.1}, "e90.slope": {'
cp "$work/aside" "$numbers"
refused_as 'no such experiment' "no experiment 'e77'" e77
echo '[]' >"$numbers"
refused_as 'a list' 'it is no object of numbers' e90
: >"$numbers"
refused_as 'an empty file' 'numbers.json:' e90
rm "$numbers"
refused_as 'no such file' 'numbers.json' e90
ok 'without --as: exit 2' sh -c "build/bin/loggbook import x.json 2>'$work/err'; [ \$? -eq 2 ] && grep -q -- '--as' '$work/err'"

sum
