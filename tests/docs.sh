#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/docs.sh
#
# What README and its neighbours say is so: links lead somewhere, versions agree, targets exist, and the commands shown
# with `$` print the lines shown below them (an … stands for the rest of a line, a line of it for any lines). Needs the
# records and frozen values of the quick profile. Ends with "N passed, N failed"; exit 0 if none failed.
set -u
cd "$(dirname "$0")/.." || exit 2
. tests/lib.sh

for page in README.md CONTRIBUTING.md CHANGELOG.md data/*/README.md; do
  for to in $(grep -oE '\]\([^)#]+' "$page" | cut -c 3- | grep -v '://' | sort -u); do
    ok "$page: $to is there" test -e "$(dirname "$page")/$to"
  done
done

version=$(cat VERSION)
ok "the newest entry of the changelog is $version" sh -c "grep -m 1 '^## ' CHANGELOG.md | grep -qxF '## $version'"
ok "CITATION.cff says $version" grep -qxF "version: $version" CITATION.cff
for target in $(grep -ohE '(^|`)make [^`#=]*' README.md CONTRIBUTING.md | tr -d '`' | tr ' ' '\n' | grep -xE '[a-z][a-z-]*' | grep -vx make | sort -u); do
  ok "make $target is a target" grep -qE "^(\.PHONY:.*)?\b$target(:| |\$)|unit-\\$" Makefile
done

# shown COMMAND FILE: each line below the README's "$ COMMAND" comes in FILE, in that order
shown() {
  awk -v command="\$ $1" '
    function starts(line, with) { return substr(line, 1, length(with)) == with }
    FNR == NR { if ($0 == command) { inside = 1; next }
                if (inside && $0 == "```") inside = 0
                if (inside) want[++n] = $0
                next }
    { got[++m] = $0 }
    END {
      if (!n) { print "README.md does not show: " command; exit 1 }
      for (i = 1; i <= n; i++) {
        dots = index(want[i], "…")
        start = dots ? substr(want[i], 1, dots - 1) : want[i]
        if (start ~ /^ *$/) { free = 1; continue }
        for (at++; at <= m && !(dots ? starts(got[at], start) : got[at] == start); at++)
          if (!free) { print "README.md: " want[i]; print "printed:   " got[at]; exit 1 }
        if (at > m) { print "never printed: " want[i]; exit 1 }
        free = 0
      }
    }' README.md "$2"
}

make -s PROFILE=quick DATA= records >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 2; }
command='build/bin/loggbook why e02.noise_0.2.delta_r2.aligned --profile quick'
$command >"$work/why_key" 2>&1
ok "README shows what it prints: $command" shown "$command" "$work/why_key"

# The tampered reference of the README
mkdir "$work/frozen"
awk -F '\t' -v OFS='\t' '$1 == "e02.noise_0.2.delta_r2.aligned" { $2 = 0.078 } { print }' \
  data/frozen/quick/e02_piecewise.tsv >"$work/frozen/e02_piecewise.tsv"
command='build/bin/loggbook verify --profile quick e02_piecewise'
$command --frozen "$work/frozen" 2>/dev/null | sed "s|$work/frozen|data/frozen/quick|" >"$work/verify"
ok "README shows what it prints: $command" shown "$command" "$work/verify"

# What `make mutate` counted last
score=$(awk '$1 == "all" { printf "%s of %s ([%s %%]", $3, $2, $4 }' tests/mutate/score.txt)
ok "README quotes the score: $score" grep -qF "the checks catch $score" README.md
ok 'and how many ways there are' grep -qF "spoilt in $(grep -cvE '^(kind|all) ' tests/mutate/score.txt) ways" README.md

sum
