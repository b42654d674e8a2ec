#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/publish.sh
#
# `loggbook publish` on the finished reports of the quick profile: what is in the folder, twice the same bytes, what the
# check finds, what must not be published, and the site in a browser. A PDF takes seconds, so one is real and the others
# are stand-ins. Ends with "N passed, N failed"; exit 0 if none failed, 2 without the tools.
set -u
cd "$(dirname "$0")/.." || exit 2
for tool in pandoc xelatex chromium python3; do
  command -v $tool >/dev/null 2>&1 || { echo "tests/publish.sh needs $tool: run make deps" >&2; exit 2; }
done
unset MAKEFLAGS MFLAGS MAKELEVEL
. tests/lib.sh
bin=$PWD/build/bin
documents='summary framework hub roadmap kanban cards audit'
pages=$(for name in $documents; do echo "build/quick/reports/$name.en.html" "build/quick/reports/$name.zh.html"; done)
make -s PROFILE=quick DATA= md html $pages build/quick/reports/e01_baseline.en.pdf >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 2; }
experiments=$(basename -a templates/experiments/e*)

# A house of its own: reports and figures side by side, as their links have it
mkdir "$work/reports" "$work/results"
cp -r build/quick/figures "$work/figures"
cp data/results/quick/*.h5 "$work/results/"
cp -r data/frozen/quick "$work/frozen"
for name in $experiments; do
  for page in "$name.en" "$name.zh"; do
    cp "build/quick/reports/$page.md" "build/quick/reports/$page.html" "$work/reports/"
    printf '%%PDF-1.5\nin the place of a report\n%%%%EOF\n' >"$work/reports/$page.pdf"
    printf '\\documentclass{article}\n\\begin{document}\n\\includegraphics{../figures/%s}\n\\end{document}\n' \
      "$(cd "$work/figures" && set -- "${name%%_*}"_*.pdf && echo "$1")" >"$work/reports/$page.tex"
  done
done
for name in $documents; do
  for page in "$name.en" "$name.zh"; do
    cp "build/quick/reports/$page.md" "build/quick/reports/$page.html" "$work/reports/"
    cp "$work/reports/e02_piecewise.en.pdf" "$work/reports/$page.pdf"
  done
done
cp build/quick/reports/e01_baseline.en.pdf build/quick/reports/e01_baseline.en.tex "$work/reports/"

dist=$work/dist
publish() { # publish [OPTION...] DIR
  "$bin/loggbook" publish --profile quick --reports "$work/reports" --figures "$work/figures" --results "$work/results" \
    --frozen "$work/frozen" "$@" >"$work/out" 2>"$work/err"
}
check() { "$bin/loggbook" publish-check "$1" >"$work/out" 2>&1; }
says() { # says STATUS PATTERN COMMAND...: this exit status, and the pattern in what it printed
  want=$1 pattern=$2
  shift 2
  "$@"
  got=$?
  [ "$got" -eq "$want" ] || { echo "exit status $got, not $want: $*"; cat "$work/out" "$work/err"; return 1; }
  cat "$work/out" "$work/err" | grep -qE -- "$pattern" || { echo "no '$pattern' in:"; cat "$work/out" "$work/err"; return 1; }
}

# --- what is in it -------------------------------------------------------------------------------
ok 'it is published' says 0 "files of $(echo "$experiments" | wc -l) experiments" publish "$dist"
[ -e "$dist" ] || { sum; exit 1; }
for name in $experiments; do
  for file in "records/$name.h5" "frozen/$name.tsv" "specs/$name.yaml"; do ok "$file" [ -s "$dist/$file" ]; done
  for page in "$name.en" "$name.zh"; do
    for file in "reports/$page.html" "numbers/$page.html" "pdf/$page.pdf" "tex/$page.tar.gz" "markdown/$page.md"; do
      ok "$file" [ -s "$dist/$file" ]
    done
  done
  ok "records/$name.h5 is the record" cmp "$dist/records/$name.h5" "data/results/quick/$name.h5"
done
for name in $documents; do
  for page in "$name.en" "$name.zh"; do
    for file in "reports/$page.html" "pdf/$page.pdf" "markdown/$page.md"; do ok "$file" [ -s "$dist/$file" ]; done
    ok "the index leads to $page" grep -q "href=\"reports/$page.html\"" "$dist"/index*.html
  done
done
ok 'the manifest holds for sha256sum' sh -c "cd '$dist' && sha256sum --check --quiet MANIFEST.sha256"
ok 'and names every file' sh -c "[ \"\$(find '$dist' -type f | wc -l)\" -eq \$((\$(wc -l <'$dist/MANIFEST.sha256') + 1)) ]"
ok 'Markdown finds its figures' sh -c "cd '$dist/markdown' && grep -ohE '\.\./figures/[A-Za-z0-9_]+\.[a-z]+' ./*.md | sort -u | { n=; while read -r f; do [ -s \"\$f\" ] || exit 1; n=1; done; [ \$n ]; }"
ok 'numbers.json holds the numbers of every record, and RO-Crate what its profile asks for' python3 tests/site/metadata.py "$dist" "$bin/loggbook"
mkdir "$work/bundle"
ok 'a LaTeX bundle names its compiler and what must be installed' sh -c "cd '$work/bundle' && tar xzf '$dist/tex/e01_baseline.en.tar.gz' && grep -q '\"pdflatex\"' 00README.json && grep -q 'Latin' README.txt && ! grep -nE '\.\./|graphics(\[[^]]*])?\{/|path\{\{/' ./*.tex"
for engine in pdflatex xelatex; do
  ok "and builds with $engine where it is unpacked" sh -c "cd '$work/bundle' && $engine -interaction=batchmode -halt-on-error e01_baseline.en.tex && ! grep 'Missing character' ./*.log"
done
ok 'the Chinese one says which fonts it needs' sh -c "tar xzOf '$dist/tex/e01_baseline.zh.tar.gz' README.txt | grep -q 'Noto Serif CJK SC'"
cp "$dist/MANIFEST.sha256" "$work/first"
ok 'a second time' publish "$dist"
ok 'the same bytes' cmp "$dist/MANIFEST.sha256" "$work/first"
ok 'as a third, elsewhere' publish "$work/elsewhere"
ok 'and the same bytes' cmp "$work/elsewhere/MANIFEST.sha256" "$work/first"

# --- what the check finds ------------------------------------------------------------------------
moved=$work/far/away
mkdir "$work/far" && mv "$work/elsewhere" "$moved"
ok 'the check passes, wherever the folder lies' says 0 'files, as the manifest says' check "$moved"
ok 'also with a slash after its name' says 0 'files, as the manifest says' check "$moved/"
tampered() { # tampered CLAIM PATTERN SHELL: in a copy, exit 1 with the name
  rm -rf "$work/copy" && cp -r "$moved" "$work/copy"
  (cd "$work/copy" && eval "$3")
  ok "$1" says 1 "$2" check "$work/copy"
}
tampered 'a changed byte' '^changed +records/e02_piecewise.h5$' 'printf x | dd of=records/e02_piecewise.h5 bs=1 seek=99 conv=notrunc 2>/dev/null'
tampered 'a missing file' '^missing +pdf/e01_baseline.en.pdf$' 'rm pdf/e01_baseline.en.pdf'
tampered 'an extra file' '^extra +numbers/more.html$' 'echo more >numbers/more.html'
tampered 'a link in the place of a file' '^changed +numbers.json$' 'mv numbers.json ../n.json; ln -s ../n.json numbers.json'
tampered 'a hidden file' '^extra +.hidden$' 'echo more >.hidden'
damaged() { # damaged CLAIM PATTERN SHELL: the manifest itself, exit 2
  rm -rf "$work/copy" && cp -r "$moved" "$work/copy"
  (cd "$work/copy" && eval "$3")
  ok "$1" says 2 "$2" check "$work/copy"
}
damaged 'no manifest' 'MANIFEST.sha256 does not exist' 'rm MANIFEST.sha256'
damaged 'an empty manifest' 'MANIFEST.sha256 is empty' ': >MANIFEST.sha256'
damaged 'a manifest cut short' 'is cut short' 'truncate -s -7 MANIFEST.sha256'
damaged 'a line that is none' 'MANIFEST.sha256:3: ' 'sed -i 3s/^./x/ MANIFEST.sha256'
damaged 'a name that leads out of the folder' 'MANIFEST.sha256:1: ' 'sed -i "1s|  .*|  ../far|" MANIFEST.sha256'
ok 'no folder' says 2 'nowhere' check "$work/nowhere"

# --- what must not be published ------------------------------------------------------------------
refused() { # refused CLAIM PATTERN FILE SHELL [OPTION...]: after SHELL on FILE, exit 2, one message, DIST as it was
  fault=$1 named=$2 file=$work/$3 change=$4
  shift 4
  cp "$file" "$work/aside"
  (cd "$work" && eval "$change")
  ok "$fault: exit 2, and it is named" says 2 "$named" publish "$@" "$dist"
  ok "$fault: one message" [ "$(wc -l <"$work/err")" -eq 1 ]
  ok "$fault: what was there stays" sh -c "cmp '$dist/MANIFEST.sha256' '$work/first' && '$bin/loggbook' publish-check '$dist'"
  ok "$fault: nothing half-written" sh -c "! ls -d '$dist'.* 2>/dev/null"
  cp "$work/aside" "$file"
}
report=reports/e02_piecewise.en
for ending in md html pdf tex; do refused "no .$ending" "$report.$ending does not exist" $report.$ending 'rm "$file"'; done
refused 'a translation is missing' 'reports/e05_quantile_bins.zh.md does not exist' reports/e05_quantile_bins.zh.md 'rm "$file"'
refused 'a record is missing' 'e03_validation.h5' results/e03_validation.h5 'rm "$file"'
refused 'a record cut short' 'results/e03_validation.h5' results/e03_validation.h5 'truncate -s -9 "$file"'
refused 'no record at all' 'results/e03_validation.h5' results/e03_validation.h5 'echo text >"$file"'
refused 'the record of another experiment' 'results/e03_validation.h5' results/e03_validation.h5 'cp results/e01_baseline.h5 "$file"'
refused 'records of another profile' 'is of profile quick, but profile night was asked for' results/e03_validation.h5 : --profile night
refused 'nothing frozen' 'e03_validation.tsv' frozen/e03_validation.tsv 'rm "$file"'
refused 'a number that moved' 'differs from .*e02_piecewise.tsv' frozen/e02_piecewise.tsv 'sed -i "/^e02.data.n_train	/s/4000/4001/" "$file"'
refused 'a page that was edited' "$report.md:[0-9]+: .* is not what template and record give" $report.md 'sed -i s/0.060/0.078/ "$file"'
refused 'a page cut short' "$report.html is no whole page" $report.html 'truncate -s -200 "$file"'
refused 'a PDF cut short' "$report.pdf is no whole PDF" $report.pdf 'truncate -s -8 "$file"'
refused 'LaTeX cut short' "$report.tex is cut short" $report.tex 'truncate -s -12 "$file"'
refused 'a sign that arXiv cannot set' "$report.tex: pdflatex.* has no '中'" $report.tex 'sed -i "1s/^/% 中\n/" "$file"'
refused 'a key that no record holds' 'e02.nonsense' $report.html 'sed -i "s|<code>e02.data.n_test_covered</code>|<code>e02.nonsense</code>|" "$file"'
refused 'a link to what is not published' 'links to e99_gone.en.html' $report.html 'sed -i "s|href=\"e01_baseline.en.html|href=\"e99_gone.en.html|" "$file"'
refused 'a view without its translation' 'reports/hub.zh.md does not exist' reports/hub.zh.md 'rm "$file"'
refused 'a view that was edited' 'reports/summary.en.md:[0-9]+: .* is not what template' reports/summary.en.md 'sed -i s/0.060/0.078/ "$file"'
refused 'a view of another profile' 'reports/kanban.zh.md:[0-9]+: .* is not what template' reports/kanban.zh.md "cp '$PWD/reports/kanban.zh.md' \"\$file\""
refused 'a view cut short' 'reports/roadmap.en.html is no whole page' reports/roadmap.en.html 'truncate -s -200 "$file"'
refused 'a number of a view that no record holds' 'e02.nonsense' reports/hub.en.html 'sed -i "s|<code>e02.noise_0.2.delta_r2.aligned</code></span>|<code>e02.nonsense</code></span>|" "$file"'
refused 'an audit of another run' 'reports/audit.en.md:[0-9]+: .* is not what template' reports/audit.en.md "cp '$PWD/reports/audit.en.md' \"\$file\""
cp -r templates "$work/templates"
refused 'a key that vanished' 'programme.yaml:[0-9]+:[0-9]+: .*e02.noise_0.2.delta_r2.gone' templates/views/programme.yaml 'sed -i s/e02.noise_0.2.delta_r2.aligned/e02.noise_0.2.delta_r2.gone/ "$file"' --templates "$work/templates"
refused 'a figure is missing' 'figures/e02_bins.svg' figures/e02_bins.svg 'rm "$file"'
refused 'a figure of the PDF is missing' 'figures/e01_.*.pdf' "figures/$(cd "$work/figures" && set -- e01_*.pdf && echo "$1")" 'rm "$file"'
mkdir "$work/other" && echo mine >"$work/other/file"
ok 'a folder that is not ours is left alone' says 2 'holds no MANIFEST.sha256' publish "$work/other"
ok 'and what is in it' grep -qx mine "$work/other/file"
ok 'put back, it is published again' publish "$dist"
ok 'with the same bytes' cmp "$dist/MANIFEST.sha256" "$work/first"

# --- the site in a browser -----------------------------------------------------------------------
python3 tests/site/browser.py "$dist" >"$work/browser" 2>&1
cat "$work/browser"
line=$(tail -n 1 "$work/browser")
case $line in
*' passed, '*' failed') passed=$((passed + ${line%% *})) line=${line##*, } failed=$((failed + ${line%% *})) ;;
*) failed=$((failed + 1)) ;;
esac

sum
