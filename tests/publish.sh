#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/publish.sh
#
# `make publish` on a tree of one small experiment. Ends with "N passed, N failed"; exit 0 if none failed, 2 without
# pandoc.
set -u

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
command -v pandoc >/dev/null 2>&1 || { echo "tests/publish.sh needs pandoc" >&2; exit 2; }
. "$root/tests/lib.sh"
publish() { "$root/templates/pandoc/publish.sh" "${1:-dist}" reports figures data/results/toy >"$work/out" 2>"$work/err"; }
fails() { # fails MESSAGE [DIST]: exit 2 with that message
  publish "${2:-dist}"
  [ $? -eq 2 ] && grep -qF -- "$1" "$work/err" || { cat "$work/err"; return 1; }
}

mkdir -p "$work/tree/templates/experiments/e90_toy" "$work/tree/reports" "$work/tree/figures" \
  "$work/tree/data/results/toy" "$work/tree/data/frozen/toy"
cd "$work/tree" || exit 2
echo 9.8.7 >VERSION
echo 'experiment: e90' >templates/experiments/e90_toy/spec.yaml
echo record >data/results/toy/e90_toy.h5
printf '# header\nkey\tvalue\nverdict:H1.1\tPASS\nverdict:H1.2\tNOT RUN\n' >data/frozen/toy/e90_toy.tsv
for lang in en zh; do
  printf -- '---\ntitle: "E90 · The toy (%s)"\nlang: %s\n---\n\n![A bar](../figures/e90_bar.svg)\n' $lang $lang >reports/e90_toy.$lang.md
  echo '<p>page</p>' >reports/e90_toy.$lang.html
  echo pdf >reports/e90_toy.$lang.pdf
  printf '\\newunicodechar{x}{\\emoji{2705}}\n\\includegraphics{../figures/e90_bar.pdf}\n' >reports/e90_toy.$lang.tex
done
echo svg >figures/e90_bar.svg
echo pdf >figures/e90_bar.pdf
echo stale >figures/e90_old.svg

ok 'it is published' publish
for file in VERSION site/e90_toy.zh.html pdf/e90_toy.en.pdf tex/e90_toy.en.tex tex/emoji/2705.png markdown/e90_toy.zh.md \
  figures/e90_bar.svg figures/e90_bar.pdf records/e90_toy.h5 frozen/e90_toy.tsv; do
  ok "$file is there" test -s "dist/$file"
done
ok 'a figure that no report shows stays out' no test -e dist/figures/e90_old.svg
ok 'the index names the report in English' grep -q 'E90 · The toy (en)' dist/site/index.html
ok 'the index names the report in Chinese' grep -q 'E90 · The toy (zh)' dist/site/index.html
ok 'the index shows the verdicts' grep -q '<span class="verdict pass">H1.1 PASS</span>' dist/site/index.html
ok 'a verdict of two words too' grep -q '<span class="verdict not-run">H1.2 NOT RUN</span>' dist/site/index.html
ok 'every link of the index leads somewhere' sh -c 'grep -oE "href=\"[^#\"][^\"]*" dist/site/index.html | cut -c 7- | { while read -r to; do [ -s "dist/site/$to" ] || { echo "no $to"; exit 1; }; n=x$n; done; [ -n "$n" ]; }'
ok 'the manifest holds' sh -c 'cd dist && sha256sum --check --quiet MANIFEST.sha256'
ok 'the manifest names every file' sh -c '[ "$(find dist -type f | wc -l)" -eq $(($(wc -l <dist/MANIFEST.sha256) + 1)) ]'
cp dist/MANIFEST.sha256 "$work/first"
ok 'a second time' publish
ok 'the same bytes' cmp dist/MANIFEST.sha256 "$work/first"
echo 'another record' >data/results/toy/e90_toy.h5
ok 'what changed is published anew' publish
ok 'and only that' sh -c "diff dist/MANIFEST.sha256 '$work/first' | grep '^<' | cut -d ' ' -f 4 | grep -x records/e90_toy.h5"
cp dist/MANIFEST.sha256 "$work/first"

for file in reports/e90_toy.en.pdf reports/e90_toy.zh.tex data/results/toy/e90_toy.h5 data/frozen/toy/e90_toy.tsv figures/e90_bar.pdf; do
  mv $file "$work/aside"
  ok "without $file: exit 2, and it is named" fails "$file is missing"
  mv "$work/aside" $file
done
mkdir other && echo mine >other/file
ok 'a folder that is not ours is left alone' fails 'holds no MANIFEST.sha256' other
ok 'and what is in it' grep -qx mine other/file
ok 'what failed left the old edition whole' sh -c "cmp dist/MANIFEST.sha256 '$work/first' && cd dist && sha256sum --check --quiet MANIFEST.sha256"
ok 'nothing half-written stays' sh -c '! ls -d dist.* other.* 2>/dev/null'
ok 'usage is exit 2' sh -c "'$root/templates/pandoc/publish.sh' dist 2>/dev/null; [ \$? -eq 2 ]"

sum
