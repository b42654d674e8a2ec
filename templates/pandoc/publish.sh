#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: publish.sh DIST REPORTS FIGURES RESULTS
#
# DIST from the finished reports, whole or not at all: site/ (pages and their index), pdf/, tex/ (builds where it
# lies), markdown/, figures/ (what both show), records/, frozen/, VERSION, and MANIFEST.sha256 over all of it. The
# same reports give the same bytes. RESULTS ends in the name of the profile; run it from the root of the tree.
# Exit 0 done, 1 the index has a fault, 2 cannot do it, 3 pandoc is not installed.
set -eu
export LC_ALL=C

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
die() { printf 'publish.sh: %s\n' "$*" >&2; exit 2; }

[ $# -eq 4 ] || die 'usage: publish.sh DIST REPORTS FIGURES RESULTS'
dist=$1 reports=$2 figures=$3 results=$4
profile=$(basename -- "$results")
frozen=data/frozen/$profile
part=$dist.part
[ ! -e "$dist" ] || [ -e "$dist/MANIFEST.sha256" ] || die "$dist is there, but holds no MANIFEST.sha256: move it away first"

# Everything that must be there, before anything is written
set --
for spec in templates/experiments/e*/spec.yaml; do
  [ -e "$spec" ] || die "no templates/experiments here: run it from the root of the tree"
  set -- "$@" "$(basename -- "$(dirname -- "$spec")")"
done
missing=0
need() { [ -s "$1" ] || { printf 'publish.sh: %s is missing\n' "$1" >&2; missing=1; }; }
for name; do
  need "$results/$name.h5"
  need "$frozen/$name.tsv"
  for lang in en zh; do
    for ending in md html pdf tex; do need "$reports/$name.$lang.$ending"; done
  done
done
[ $missing -eq 0 ] || die 'nothing was published: run `make deps reports verify` first'

trap 'rm -rf -- "$part"' EXIT
trap 'exit 2' HUP INT TERM
rm -rf -- "$part"
for folder in site pdf tex/emoji markdown figures records frozen; do mkdir -p -- "$part/$folder"; done
for name; do
  for lang in en zh; do
    cp -- "$reports/$name.$lang.html" "$part/site/"
    cp -- "$reports/$name.$lang.pdf" "$part/pdf/"
    cp -- "$reports/$name.$lang.tex" "$part/tex/"
    cp -- "$reports/$name.$lang.md" "$part/markdown/"
  done
  cp -- "$results/$name.h5" "$part/records/"
  cp -- "$frozen/$name.tsv" "$part/frozen/"
done
# Markdown shows figures as SVG, LaTeX as PDF; both look in ../figures, and LaTeX for emoji beside itself.
for figure in $(grep -ohE '\.\./figures/[A-Za-z0-9_]+\.[a-z]+' "$part"/markdown/*.md "$part"/tex/*.tex | sort -u); do
  source=$figures/${figure##*/}
  need "$source"
  [ ! -s "$source" ] || cp -- "$source" "$part/figures/"
done
[ $missing -eq 0 ] || die 'nothing was published: a report shows a figure that is not there'
for code in $(grep -ohE '\\emoji\{[0-9A-F]+\}' "$part"/tex/*.tex | sed 's/.*{\(.*\)}/\1/' | sort -u); do
  cp -- "$here/emoji/$code.png" "$part/tex/emoji/"
done
cp -- VERSION "$part/"

# The index: a heading a report, its forms, its verdicts
title() { sed -n '2,40s/^title: *"\(.*\)"$/\1/p' "$reports/$1.md" | head -n 1; }
verdicts() { # the frozen verdicts, which `make verify` has just found equal to the record's
  awk -F '\t' '$1 ~ /^verdict:/ { kind = tolower($2); gsub(/ /, "-", kind); printf "%s[%s %s]{.verdict .%s}", (n++ ? " " : ""), substr($1, 9), $2, kind }' "$1"
}
{
  printf -- '---\ntitle: "loggbook: the reports"\nlang: en\n---\n\n'
  printf 'Version %s, profile %s. Every number on these pages was filled in by the program that computed it.\n' "$(cat VERSION)" "$profile"
  for name; do
    printf '\n## %s\n\n' "$(title "$name.en")"
    printf '%s\n\n' "$(title "$name.zh")"
    printf '%s\n\n' "$(verdicts "$frozen/$name.tsv")"
    for lang in en zh; do
      case $lang in en) word=English ;; *) word=中文 ;; esac
      printf -- '- %s: [page](%s.html), [PDF](../pdf/%s.pdf)\n' $word "$name.$lang" "$name.$lang"
    done
    printf -- '- Numbers: [record (HDF5)](../records/%s.h5), [frozen values](../frozen/%s.tsv)\n' "$name" "$name"
  done
} >"$part/index.md"
sh "$here/html.sh" "$part/index.md" "$part/site/index.html" || exit $?
rm -- "$part/index.md"

(cd "$part" && find . -type f ! -name MANIFEST.sha256 | sed 's|^\./||' | sort | xargs -d '\n' sha256sum >MANIFEST.sha256)

# Out with the old, in with the new
rm -rf -- "$dist.old"
[ ! -e "$dist" ] || mv -- "$dist" "$dist.old"
mv -- "$part" "$dist"
rm -rf -- "$dist.old"
printf '%s: %d files, version %s, profile %s\n' "$dist" "$(wc -l <"$dist/MANIFEST.sha256")" "$(cat VERSION)" "$profile"
