#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/independent/run.sh
#
# The finished HTML of the quick profile, reports and the documents above them, before a second reader that shares no
# code with the package: every number on it is backed by what the records export; and a page that is tampered with is
# found. Needs the pages of tests/quick.sh.
# Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/lib.sh
pages=build/quick/reports
ls $pages/*.html >/dev/null 2>&1 || { echo "tests/independent needs HTML: make PROFILE=quick html" >&2; exit 2; }
documents=$(for name in summary framework hub roadmap kanban cards; do echo "$pages/$name.en.html" "$pages/$name.zh.html"; done)
(unset MAKEFLAGS MFLAGS MAKELEVEL; make -s PROFILE=quick DATA= $documents) >&2 || exit 2
mkdir "$work/numbers" "$work/tampered"
for e in templates/experiments/e*; do
  e=$(basename "$e")
  ok "the numbers of $e are exported" sh -c "build/bin/loggbook numbers --profile quick '$e' >'$work/numbers/${e%%_*}.json'"
done
check() { python3 tests/independent/check.py --numbers "$work/numbers" --published data/published/published.tsv "$@"; }
ends() { # ends STATUS PATTERN COMMAND...
  want=$1 pattern=$2
  shift 2
  "$@" >"$work/out" 2>&1
  got=$?
  [ "$got" -eq "$want" ] || { echo "exit status $got, not $want"; cat "$work/out"; return 1; }
  grep -qE -- "$pattern" "$work/out" || { echo "no '$pattern' in:"; cat "$work/out"; return 1; }
}
ok 'every number on every page is backed' ends 0 '; 0 not backed$' check $pages/e*.html
ok 'and on every document above them' ends 0 '^12 pages, .*; 0 not backed$' check $documents

tampered() { # tampered CLAIM PATTERN SED [LANG [NAME]]: the page changes, and the finding names page, number and place
  claim=$1 pattern=$2 script=$3 page=${5-e02_piecewise}.${4-en}.html
  rm -f "$work"/tampered/*
  cp "$pages/${5-e02_piecewise}".??.html "$work/tampered/"
  sed -E "$script" "$pages/$page" >"$work/tampered/$page"
  ok "$claim: the page differs" no cmp -s "$pages/$page" "$work/tampered/$page"
  ok "$claim: found" ends 1 "^$page: .*$pattern" check "$work"/tampered/*.html
}
link='(<a href="#n-e02-noise_0-2-delta_r2-aligned" [^>]*>)'
tampered 'a number' "'\+0.070†' is not e02.noise_0.2.delta_r2.aligned" "s|$link\+[0-9.]+|\1+0.070|"
tampered 'an interval' "'\[0.999, 0.*is not e02.noise_0.2" "s|$link\[0\.[0-9]*|\1[0.999|"
tampered 'a sign' "'−0.* is not e02.noise_0.2" "s|$link\+|\1−|"
tampered 'the mark of an oracle' 'the mark † disagree' "s|$link([^†<]*)†|\1\2|"
tampered 'a key' 'which no record holds' 's|title="e02.noise_0.2.delta_r2.aligned · |title="e02.noise_0.2.delta_r3.aligned · |'
tampered 'where a number leads' 'but leads to' 's|href="#n-e02-noise_0-2-delta_r2-aligned"|href="#n-e02-data-n_test"|'
tampered 'a seed on hover' "'seed 20251204' is said" 's|seed 20251203|seed 20251204|'
tampered 'a row set on hover' 'is said of a number' 's|rows covered test rows|rows all test rows|'
tampered 'a count on hover' "'n [0-9]*9' is said" 's| · n ([0-9]+)[0-8] · | · n \19 · |'
tampered 'a verdict' 'is not the verdict of H1.2' 's|(<span class="verdict [a-z]*" title="H1.2 [^>]*>)PASS|\1FAIL|'
tampered 'what a verdict was decided on' 'is quoted for' 's|(<span class="verdict [^>]* = )[0-9]|\17|'
tampered 'a setting' 'is not spec.thresholds.valuable' 's|(title="spec.thresholds.valuable">)0.03|\10.04|'
tampered 'a published value' 'is not what was published|was not published' 's|0\.0500|0.0501|'
tampered 'a number typed into prose' "'0.0781' is not backed" 's|(<main>.*</p>)?<p>|\1<p>It gains 0.0781 or more. |'
tampered 'the same in Chinese' "'0.0781' is not backed" 's|<p>|<p>增益为 0.0781。|' zh
tampered 'a cell of a table of the record' 'is not what table T02.[0-9] of the record holds' 's|>Mid Solar<|>Cool Solar<|'
tampered 'why cells have no value' 'is not why table T22.[0-9] says n/a' 's|<p>n/a: .*</p>|<p>n/a: no gain.</p>|' en e22_best_model
tampered 'why Chinese cells have no value' 'has no one reason under the table' 's|<p>n/a：.*</p>||' zh e22_best_model
tampered 'a picture' 'is not the picture that the run drew' 's|(base64,)(.{4000})....|\1\2AAAA|'
tampered 'one language loses a number' 'stands in a row that' 's|<a href="#n-e02-data-coverage_test"[^>]*>[^<]*</a>||' zh
tampered 'a number of a document' "'\+0.070†' is not e02.noise_0.2.delta_r2.aligned" "s|$link\+[0-9.]+|\1+0.070|" en hub
tampered 'a verdict of a document' 'is not the verdict of e02:H1.2' 's|(<span class="verdict [a-z]*" title="e02:H1.2 [^>]*>)PASS|\1FAIL|' zh framework
tampered 'a number typed into a document' "'0.0781' is not backed" 's|<p>|<p>It gains 0.0781. |' en summary
tampered 'a log that is none' "'0.0781' is not backed" 's|>2026-[0-9-]*</td>|>0.0781</td>|' en roadmap

rm -f "$work"/tampered/*
ok 'no such page: exit 2' ends 2 'nowhere.html' check $pages/e01_baseline.en.html "$work/e01_nowhere.html"
cp $pages/e02_piecewise.en.html "$work/tampered/e77_other.en.html"
ok 'a page whose numbers were not exported: exit 2' ends 2 'no export e77.json' check "$work/tampered/e77_other.en.html"
echo '<p>nothing</p>' >"$work/tampered/e02_piecewise.en.html"
ok 'a page without numbers proves nothing: exit 2' ends 2 'nothing was checked' check "$work/tampered/e02_piecewise.en.html"
mv "$work/numbers" "$work/aside" && mkdir "$work/numbers"
ok 'no exports: exit 2' ends 2 'no exports' check $pages/e02_piecewise.en.html
rm -r "$work/numbers" && mv "$work/aside" "$work/numbers"
head -c 5000 "$work/numbers/e02.json" >"$work/cut" && cp "$work/cut" "$work/numbers/e02.json"
ok 'a truncated export: exit 2' ends 2 'check.py:' check $pages/e02_piecewise.en.html

sum
