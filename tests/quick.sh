#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/quick.sh
#
# The whole way in the quick profile, from nothing to pages: they are made once and not again, lint and verification
# pass, a rerun gives the same bits; and whatever is tampered with afterwards is found. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2
unset MAKEFLAGS MFLAGS MAKELEVEL OMP_NUM_THREADS
bin=$PWD/build/bin
. tests/lib.sh
says() { # says STATUS PATTERN COMMAND...: this exit status, and the pattern somewhere in what it prints
  want=$1 pattern=$2
  shift 2
  "$@" >"$work/out" 2>&1
  got=$?
  [ "$got" -eq "$want" ] || { echo "exit status $got, not $want: $*"; cat "$work/out"; return 1; }
  grep -qE -- "$pattern" "$work/out" || { echo "no '$pattern' in:"; cat "$work/out"; return 1; }
}
same() { # two files, not empty
  [ -s "$1" ] && cmp "$1" "$2"
}
make_quick() { make PROFILE=quick DATA= "$@"; }

# --- from nothing to pages -----------------------------------------------------------------------
experiments=$(basename -a templates/experiments/e*)
state() { find data/spectra/quick data/spectra/quick_large data/results/quick build/quick build/bin -type f -printf '%p %s %T@\n' | sort; }
git status --porcelain >"$work/before" 2>&1
formats=md
if command -v pandoc >/dev/null 2>&1; then formats='md html'; fi
# shellcheck disable=SC2086
ok "make $formats" make_quick $formats
state >"$work/a"
# shellcheck disable=SC2086
ok "make $formats again" make_quick $formats
state >"$work/b"
ok 'does nothing: no file changes' same "$work/a" "$work/b"
for e in $experiments; do
  for page in "$e.en" "$e.zh"; do
    for format in $formats; do
      ok "$page.$format is there" [ -s "build/quick/reports/$page.$format" ]
    done
    ok "$page.md, read as a finished page" says 0 ' 0 errors' "$bin/loggbook" lint --profile quick "build/quick/reports/$page.md"
    grep -oE '\]\([^)#:]+\)' "build/quick/reports/$page.md" | tr -d '])(' | sort -u >"$work/links"
    ok "$page.md: what it links to is there" sh -c "cd build/quick/reports && while IFS= read -r f; do [ -e \"\$f\" ] || { echo \"no \$f\"; exit 1; }; done" <"$work/links"
  done
done
ok 'the views are made' make_quick build/quick/reports/summary.en.md
for page in summary framework hub roadmap kanban cards; do
  for lang in en zh; do
    view=build/quick/reports/$page.$lang.md
    ok "$page.$lang.md, read as a finished page" says 0 ' 0 errors' "$bin/loggbook" lint --profile quick "$view"
    grep -oE '\]\([^)#:]+\)' "$view" | tr -d '])(' | sort -u >"$work/links"
    ok "$page.$lang.md: what it links to is there" sh -c "cd build/quick/reports && while IFS= read -r f; do [ -e \"\$f\" ] || { echo \"no \$f\"; exit 1; }; done" <"$work/links"
  done
done
ok 'views of another profile are refused' says 2 'is of profile quick' "$bin/loggbook" views --results data/results/quick --figures build/quick/figures --out "$work/views"
ok 'and nothing of them is left' [ ! -e "$work/views" ]
git status --porcelain >"$work/after" 2>&1
ok 'nothing under version control changes' cmp "$work/before" "$work/after"
ok 'lint: no errors' says 0 ' 0 errors' make_quick lint
ok 'verify: as frozen' says 0 'entries agree' make_quick verify
ok 'audit: nothing contradicts itself here' says 0 ' pages: 0 contradictions of our own' make_quick audit
for lang in en zh; do
  ok "audit.$lang.md, read as a finished page" says 0 ' 0 errors' "$bin/loggbook" lint "build/quick/reports/audit.$lang.md"
  cp "build/quick/reports/audit.$lang.md" "$work/audit.$lang.md"
done
ok 'audit: again' make_quick audit
for lang in en zh; do
  ok "audit.$lang.md has the same bytes" same "$work/audit.$lang.md" "build/quick/reports/audit.$lang.md"
done

# --- the same bits again -------------------------------------------------------------------------
numbers() { "$bin/loggbook" numbers --profile quick --results "$1" --tsv "$2"; }
for e in $experiments; do
  id=${e%%_*}
  numbers data/results/quick "$id" >"$work/first.tsv"
  for threads in 1 2; do
    again=$work/threads$threads
    ok "$id with $threads threads: a rerun" env OMP_NUM_THREADS=$threads "$bin/$e" --profile quick --replication data/spectra/quick_large --results "$again" --figures "$again"
    numbers "$again" "$id" >"$work/again.tsv"
    ok "$id with $threads threads: the same numbers" same "$work/first.tsv" "$work/again.tsv"
    ok "$id with $threads threads: loggbook diff agrees" "$bin/loggbook" diff --fail-on any "data/results/quick/$e.h5" "$again/$e.h5"
    for figure in build/quick/figures/"$id"_*; do
      ok "$id with $threads threads: $(basename "$figure")" same "$figure" "$again/$(basename "$figure")"
    done
  done
done

# --- tampering with what is frozen ---------------------------------------------------------------
frozen=$work/frozen tsv=$work/frozen/e02_piecewise.tsv
verify() { "$bin/loggbook" verify --profile quick --frozen "$frozen" "$@"; }
ok 'freezing needs a reason' says 2 'REASON' "$bin/loggbook" freeze --profile quick --frozen "$frozen"
ok 'without one nothing is frozen' [ ! -e "$tsv" ]
ok 'nothing frozen: verify does not pass' says 2 'freeze' verify
ok 'freeze with a reason' "$bin/loggbook" freeze --profile quick --frozen "$frozen" --reason 'a test'
ok 'what was just frozen agrees' says 0 'e02 .*entries agree' verify
cp "$tsv" "$work/e02.tsv"
tamper() { # tamper AWK: columns key value ci_lo ci_hi se n kind rows tolerance oracle
  awk -F '\t' -v OFS='\t' "$1" "$work/e02.tsv" >"$tsv"
  no cmp -s "$work/e02.tsv" "$tsv"
}
found() { # found CLAIM AWK PATTERN: tampering like this is a finding that names what it is about
  ok "$1: the file differs" tamper "$2"
  ok "$1: verify finds it" says 1 "$3" verify e02
}
gain='$1 == "e02.noise_0.2.delta_r2.aligned"'
found 'a number' "$gain { \$2 = \$2 + 0.02 } 1" 'e02.noise_0.2.delta_r2.aligned'
found 'a count' '$1 == "e02.data.n_train" { $2++ } 1' 'e02.data.n_train'
found 'an interval' "$gain { \$3 = \$3 - 0.02 } 1" 'e02.noise_0.2.delta_r2.aligned'
found 'a standard error' "$gain { \$5 = \$5 * 2 } 1" 'e02.noise_0.2.delta_r2.aligned'
found 'the number of rows' "$gain { \$6-- } 1" 'e02.noise_0.2.delta_r2.aligned'
found 'the row set of a number' "$gain { \$8 = \"all test rows\" } 1" 'e02.noise_0.2.delta_r2.aligned'
found 'a number that becomes n/a' "$gain { \$2 = \"n/a: lost\" } 1" 'e02.noise_0.2.delta_r2.aligned'
found 'a text' '$1 == "e02.data.validation" { $2 = "none" } 1' 'e02.data.validation'
found 'a verdict' '$1 == "verdict:H1.2" { $2 = $2 == "PASS" ? "FAIL" : "PASS" } 1' 'H1.2'
found 'the hash of a row set' '$1 == "rowset:covered test rows" { $2 = "sha256:" substr($2, 9) "0" } 1' 'covered test rows'
found 'the keys of a table' '/^table:T02.1\t/ { sub("sha256:", "sha256:0") } 1' 'table:T02.1'
found 'a key that is not frozen' '!/^e02.noise_0.5.delta_r2.aligned\t/' 'e02.noise_0.5.delta_r2.aligned'
found 'a key that is not recorded' "1; $gain { \$1 = \"e02.more_gain\"; print }" 'e02.more_gain'
ok 'rounding in the last digits is no drift' tamper '$1 == "e02.data.snr_norm_ratio_median" { $2 = sprintf("%.17g", $2 * (1 + 1e-12)) } 1'
ok 'rounding in the last digits passes' says 0 'e02 .*entries agree' verify e02
ok 'a file without entries' tamper '/^#/ || $1 == "key"'
ok 'verify with nothing to check does not pass' says 2 'nothing to check' verify e02
ok 'a damaged line' tamper "$gain { print \"oops\"; next } 1"
ok 'verify names the line' says 2 'e02_piecewise.tsv:[0-9]+' verify e02
cp "$frozen/e01_baseline.tsv" "$tsv"
ok 'the frozen values of another experiment' says 2 'e01' verify e02
ok 'those of another profile' tamper '/^# profile:/ { $0 = "# profile: standard" } 1'
ok 'verify names both profiles' says 2 'standard' verify e02
rm "$tsv"
ok 'a frozen file is missing' says 2 'e02_piecewise.tsv' verify e02
cp "$work/e02.tsv" "$tsv"
ok 'put back, it agrees' says 0 'e02 .*entries agree' verify e02

# --- tampering with templates and figures --------------------------------------------------------
pages=$work/templates figures=$work/figures
e02=$pages/experiments/e02_piecewise
start_over() {
  rm -rf "$pages" "$figures"
  cp -r templates "$pages"
  cp -r build/quick/figures "$figures"
}
on_copy() { # on_copy COMMAND [ARGUMENT...]
  command=$1
  shift
  "$bin/loggbook" "$command" --profile quick --templates "$pages" --figures "$figures" "$@" e02
}
fill() { on_copy fill --lang en --out "$work/reports/page.md"; }
start_over
ok 'the copy is clean' says 0 ' 0 errors' on_copy lint
ok 'the copy fills' fill
ok 'with the same page as make' same build/quick/reports/e02_piecewise.en.md "$work/reports/page.md"
rm "$work/reports/page.md"
change() { # change FILE SED: in a fresh copy
  start_over
  sed -i "$2" "$e02/$1"
  no cmp -s "templates/experiments/e02_piecewise/$1" "$e02/$1"
}
ok 'a key is misspelt' change report.en.md '0,/delta_r2.aligned/s//delta_r2.alinged/'
ok 'a misspelt key: lint finds it' says 1 'report.en.md:[0-9]+:.*delta_r2.alinged' on_copy lint
ok 'a misspelt key: the page is not filled' says 2 'report.en.md:[0-9]+:.*delta_r2.alinged' fill
ok 'a misspelt key: no page' [ ! -e "$work/reports/page.md" ]
for lang in en zh; do
  ok "a digit is typed ($lang)" change report.$lang.md '$a Gain: 0.0500 dex.'
  ok "a typed digit ($lang): lint finds it" says 1 "report.$lang.md:[0-9]+:.*0.0500" on_copy lint
done
ok 'Chinese loses a table' change report.zh.md '/{{ table T02.3 }}/d'
ok 'a lost table: lint finds it' says 1 'T02.3' on_copy lint
ok 'Chinese loses a number' change report.zh.md 's/{{ e02.data.coverage_test[^}]*}}//g'
ok 'a lost number: lint finds it' says 1 "key 'e02.data.coverage_test' is not in .*report.zh.md" on_copy lint
ok 'English loses a section' change report.en.md '0,/^### /{/^### /d}'
ok 'a lost section: lint finds it' says 1 'report.zh.md:[0-9]+:.*the heading' on_copy lint
ok 'a setting is changed after the run' change spec.yaml 's/valuable: 0.03 /valuable: 0.04 /'
ok 'a changed setting: lint finds it' says 1 'e02' on_copy lint
ok 'a changed setting: no page' says 1 'e02' fill
start_over
rm "$figures/e02_bins.svg"
ok 'a missing figure: lint finds it' says 1 'e02_bins.svg' on_copy lint
start_over
cp "$figures/e02_bin_scores.svg" "$figures/e02_bins.svg"
ok 'another picture: lint finds it' says 1 'e02_bins.svg is not the picture' on_copy lint
start_over
cp "$figures/e02_bins.svg" "$figures/e02_old.svg"
ok 'a figure of no report: lint finds it' says 1 'e02_old.svg' on_copy lint
sed '0,/ nine / s// ten /' build/quick/reports/e02_piecewise.en.md >"$work/e02_piecewise.en.md"
ok 'a word edited in a finished page: lint finds it' says 1 'e02_piecewise.en.md:[0-9]+: .*is not what template' "$bin/loggbook" lint --profile quick "$work/e02_piecewise.en.md"
printf '# Page\n\n{{ e02.data.n_train }}\n' >"$work/left.md"
ok 'a tag left in a finished page: lint finds it' says 1 'left.md:3' "$bin/loggbook" lint "$work/left.md"

# --- make, in a copy of the house ----------------------------------------------------------------
house=$work/house
mkdir -p "$house/data/spectra" "$house/data/results" "$house/data/frozen" "$house/build"
cp -rp Makefile VERSION src tests templates "$house/"
cp -rp data/grid data/published "$house/data/"
cp -rp data/spectra/quick data/spectra/quick_large "$house/data/spectra/"
cp -rp data/results/quick "$house/data/results/"
cp -rp build/bin build/release build/quick "$house/build/"
cp -r "$frozen" "$house/data/frozen/quick"
cd "$house" || exit 2
ok 'the copy verifies' says 0 'e02 .*entries agree' make_quick verify
tsv=data/frozen/quick/e02_piecewise.tsv
ok 'a frozen number in the copy' tamper "$gain { \$2 = \$2 + 0.02 } 1"
ok 'make verify fails' says 2 'e02.noise_0.2.delta_r2.aligned' make_quick verify
cp "$work/e02.tsv" $tsv
ok 'the pages are made' make_quick md
pages_now() { (cd build/quick/reports && sha256sum ./*.md); }
pages_now >"$work/a"
sed -i '$a The end.' templates/experiments/e02_piecewise/report.en.md
sleep 1
ok 'a line of text is added' make_quick md
pages_now >"$work/b"
ok 'one page changes' [ "$(diff "$work/a" "$work/b" | grep -c '^>')" -eq 1 ]
ok 'and has the line' grep -qx 'The end.' build/quick/reports/e02_piecewise.en.md
printf '\n{{ e02.nonsense }}\n' >>templates/experiments/e02_piecewise/report.en.md
ok 'make stops at an unknown key' says 2 'report.en.md:[0-9]+:.*e02.nonsense' make_quick md
ok 'and leaves no half page' sh -c '[ ! -e build/quick/reports/e02_piecewise.en.md ] || grep -qx "The end." build/quick/reports/e02_piecewise.en.md'
cp "$OLDPWD/templates/experiments/e02_piecewise/report.en.md" templates/experiments/e02_piecewise/

ok 'make new' make_quick new EXP=e23_idea
ok 'an experiment is not made twice' says 2 'e23_idea' make_quick new EXP=e23_idea
ok 'a name must be one' says 2 'idea' make_quick new EXP=idea
ok 'the new experiment builds, runs and fills' make_quick build/quick/reports/e23_idea.en.md build/quick/reports/e23_idea.zh.md
ok 'in English' [ -s build/quick/reports/e23_idea.en.md ]
ok 'in Chinese' [ -s build/quick/reports/e23_idea.zh.md ]
ok 'its lint is clean' says 0 ' 0 errors' "$bin/loggbook" lint --profile quick e23
ok 'it verifies at once, with the others' says 0 'e23 .*entries agree' make_quick verify
ok 'it is not frozen where it did not run' says 2 'freeze' "$bin/loggbook" verify --profile quick --frozen data/frozen/standard e23

sum
