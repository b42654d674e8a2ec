#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/pandoc.sh
#
# The way from Markdown to HTML and PDF: two sample reports that use every construction, and one small report for
# each fault that must stop the build. Ends with "N passed, N failed"; exit 0 if none failed, 2 without the tools.
set -u

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
tools=$root/templates/pandoc
samples=$root/tests/golden/pandoc
for tool in pandoc xelatex pdftotext pdfinfo; do
  command -v $tool >/dev/null 2>&1 || { echo "tests/pandoc.sh needs $tool" >&2; exit 2; }
done
. "$root/tests/lib.sh"
holds() { grep -qF -- "$2" "$1" || { echo "not in $1: $2"; return 1; }; }
lacks() { ! grep -nEi -- "$2" "$1"; }
count() { n=$(grep -cE -- "$2" "$1"); [ "$n" -eq "$3" ] || { echo "$2: $n lines, not $3"; return 1; }; }
absent() { for file; do [ ! -e "$file" ] || { echo "left behind: $file"; return 1; }; done; }

gap=$(printf '\302\240') # between the word and the number of a caption
mkdir -p "$work/a/reports" "$work/b/very/deep/reports"
cp -r "$samples/figures" "$work/a/"
cp -r "$samples/figures" "$work/b/very/deep/"

# --- the samples, as HTML ------------------------------------------------------------------------
for lang in en zh; do
  page=$work/a/reports/sample.$lang.html
  ok "$lang: HTML is built" "$tools/html.sh" "$samples/sample.$lang.md" "$page"
  ok "$lang: no script" lacks "$page" '<script|javascript:'
  ok "$lang: nothing is loaded from elsewhere" lacks "$page" '<(link|img|iframe|object|embed|source)[^>]*(src|href|data)="(https?:|//|\.\.?/)|@import|url\(.?https?:'
  ok "$lang: the picture is inside the page" holds "$page" 'src="data:image/svg+xml;base64,'
  ok "$lang: the title is there once" count "$page" '<h1' 1
  ok "$lang: formulas are MathML" holds "$page" '<math display="block"'
  ok "$lang: a number leads to its trail" holds "$page" '<a href="#n-e02-delta" class="num" title="n-e02-delta on hover"'
  ok "$lang: a verdict shows which it is" holds "$page" '<span class="verdict pass"'
  ok "$lang: sixteen columns scroll in their box" holds "$page" '<div class="scroll wide" tabindex="0" role="region"'
  ok "$lang: links between reports lead to HTML" lacks "$page" 'href="[^"]*\.md'
  grep -oE 'href="#[^"]+"' "$page" | sed 's/href="#\(.*\)"/\1/' | sort -u >"$work/to"
  grep -oE ' id="[^"]+"' "$page" | sed 's/ id="\(.*\)"/\1/' | sort >"$work/ids"
  ok "$lang: every link inside the page has its goal" sh -c "sort -u '$work/ids' | comm -23 '$work/to' - | sed 's/^/no goal: /' | { ! grep .; }"
  ok "$lang: no identifier twice" sh -c "uniq -d '$work/ids' | { ! grep .; }"
  ok "$lang: second build, same bytes" sh -c "'$tools/html.sh' '$samples/sample.$lang.md' '$work/again.html' '$work/a/reports' && cmp '$work/again.html' '$page'"
done
ok 'English captions carry our ids' holds "$work/a/reports/sample.en.html" "<strong>Figure${gap}F02.1.</strong>"
ok 'Chinese captions carry our ids' holds "$work/a/reports/sample.zh.html" "<strong>图${gap}F02.1.</strong>"
ok 'English references read as captions do' holds "$work/a/reports/sample.en.html" "<a href=\"#tbl:T02.1\">Table${gap}T02.1</a>"
ok 'a Chinese reference needs no space before it' holds "$work/a/reports/sample.zh.html" "见<a href=\"#tbl:T02.1\">表${gap}T02.1</a>和"
ok 'the language is declared' holds "$work/a/reports/sample.zh.html" '<html lang="zh-CN">'
ok 'a picture has a text for those who cannot see it' holds "$work/a/reports/sample.en.html" 'alt="The test score as a function'
ok 'the contents have a name' holds "$work/a/reports/sample.zh.html" '<nav class="contents" aria-label="目录">'

# Width of the page in a browser, when there is one
scrolls() {
  sed 's#</body>#<script>onload=()=>document.title=document.documentElement.scrollWidth>innerWidth?"scrolls":"fits"</script></body>#' \
    "$1" >"$work/measured.html"
  chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update \
    --disable-sync --user-data-dir="$work/profile" --window-size="$2",900 --dump-dom "file://$work/measured.html" 2>/dev/null |
    grep -o '<title>[^<]*' >"$work/title"
  grep -q '>fits' "$work/title" || { cat "$work/title"; return 1; }
}
if command -v chromium >/dev/null 2>&1; then
  for width in 500 1000 1400; do
    ok "en: the page does not scroll sideways at $width px" scrolls "$work/a/reports/sample.en.html" $width
    ok "zh: the page does not scroll sideways at $width px" scrolls "$work/a/reports/sample.zh.html" $width
  done
else
  echo 'note: no chromium, the width of the pages is not measured'
fi

# --- the samples, as PDF -------------------------------------------------------------------------
for lang in en zh; do
  ok "$lang: PDF is built" "$tools/pdf.sh" "$samples/sample.$lang.md" "$work/a/reports/sample.$lang.pdf"
  pdftotext -layout "$work/a/reports/sample.$lang.pdf" "$work/$lang.txt" 2>/dev/null
done
ok 'English captions carry our ids in the PDF' holds "$work/en.txt" 'Figure F02.1. The test score'
ok 'Chinese captions carry our ids in the PDF' grep -q '[图圖] *F02.1. *三个噪声水平' "$work/zh.txt"
ok 'the turned table is there, and its place says so' sh -c "grep -q 'sixteen columns. (turned, on page' '$work/en.txt' && grep -q 'Mid Metal-rich' '$work/en.txt'"
ok 'a diagram keeps its lines' grep -q '┌─*┐ *┌─*┐ *┌─*┐' "$work/en.txt"
ok 'the date of the file is the date of the report' sh -c "TZ=UTC pdfinfo '$work/a/reports/sample.en.pdf' | grep 'CreationDate.*Nov 21 00:00:00 2026'"
ok 'second build, elsewhere, same bytes' sh -c "cp -r '$tools' '$work/b/pandoc' && '$work/b/pandoc/pdf.sh' '$samples/sample.en.md' '$work/b/very/deep/reports/x.pdf' && cmp '$work/b/very/deep/reports/x.pdf' '$work/a/reports/sample.en.pdf'"
ok 'the .tex builds by itself' sh -c "cd '$work/a/reports' && mkdir out && for pass in 1 2; do xelatex -interaction=batchmode -halt-on-error -output-directory=out sample.en.tex || exit 1; done; ! grep 'Missing character' out/sample.en.log"
ok 'nothing half-written stays' sh -c "! find '$work/a' '$work/b/very' -name '*.part*' | grep ."

# What is left of a page is enough for a picture a quarter smaller, not for one smaller than that.
for lines in 19 22; do
  {
    printf -- '---\ntitle: "Room"\nlang: en\ndate: 2026-01-01\n---\n\n'
    seq -f 'Line %g.' $lines | sed 'G'
    printf '![Scores](../figures/sample_alpha.svg){#fig:F02.1}\n'
  } >"$work/a/room.md"
  "$tools/pdf.sh" "$work/a/room.md" "$work/a/reports/room.$lines.pdf" && pdfinfo "$work/a/reports/room.$lines.pdf" >"$work/room.$lines"
done
ok 'a picture takes the room that is left' grep -q '^Pages: *1$' "$work/room.19"
ok 'a picture does not become too small' grep -q '^Pages: *2$' "$work/room.22"

# Near the end of a page a heading and the sentence under it go with the table they announce.
mkdir -p "$work/keep/reports"
{
  printf -- '---\ntitle: "Keep"\nlang: en\ndate: 2026-01-01\n---\n\n'
  seq -f 'Line %g.' 22 | sed 'G'
  printf '## Above\n\n### Below\n\n**Checks.**\n\n| Check | State |\n|---|---|\n'
  seq -f '| row %g | fine |' 6
} >"$work/keep/in.md"
"$tools/pdf.sh" "$work/keep/in.md" "$work/keep/reports/out.pdf" && pdftotext -f 2 -l 2 "$work/keep/reports/out.pdf" "$work/keep/page"
for words in Above Below Checks 'row 1'; do ok "on the page of the table: $words" holds "$work/keep/page" "$words"; done

# The last row of a table takes one along; the notes of a turned table go with it; a bold line stays with its list.
{
  printf -- '---\ntitle: "Rows"\nlang: en\ndate: 2026-01-01\n---\n\n'
  printf '| T_eff | State |\n|---|---|\n'
  seq -f '| row %g | fine |' 40
  printf '\n: Long {#tbl:T01.1}\n\n† A note.\n\n**Meaning**\n\n- first\n\n'
  seq -s ' | ' -f 'column%g' 16 | sed 's/^/| /; s/$/ |/'
  seq -s '|' 16 | sed 's/[0-9][0-9]*/---/g; s/^/|/; s/$/|/'
  seq -s ' | ' -f '0.12345%g†' 16 | sed 's/^/| /; s/$/ |/'
  printf '\n: Wide {#tbl:T01.2}\n\n† Of the turned one.\n\nn/a: no rows.\n\nAfter it.\n\nThe least of\n\n$$x^2$$\n'
  printf '\n## Provenance {#provenance-of-numbers}\n\nThe lists.\n'
} >"$work/keep/rows.md"
"$tools/pdf.sh" "$work/keep/rows.md" "$work/keep/reports/rows.pdf"
rows=$work/keep/reports/rows.tex
ok 'the second and the last row stay with their neighbours' count "$rows" '^\\noalign\{\\nobreak\} ?row (2|40) ' 2
ok 'notes of a turned table stand after it' sh -c "sed -n '/begin{landscape}/,\$p' '$rows' | grep -q 'Of the turned one' && sed -n '/begin{landscape}/,\$p' '$rows' | grep -q 'n/a: no rows'"
ok 'turned tables stand before the lists of provenance' sh -c "sed '1,/end{landscape}/d' '$rows' | grep -q 'The lists'"
ok 'text after its place stays' sh -c "sed '/begin{landscape}/,\$d' '$rows' | grep -q 'After it'"
ok 'a formula is one paragraph with the sentence before it' grep -q '^The least of *\\\[x^2' "$rows"
ok 'a bold line asks for room before its list' sh -c "grep -A 2 'Needspace{68pt}' '$rows' | grep -q Meaning"
ok 'a small letter for the line in T_eff' holds "$rows" 'T\textsubscript{eff}'

# --- faults --------------------------------------------------------------------------------------
fault() { # fault NAME PROGRAM WANTED-EXIT MESSAGE: build the text on stdin, expect that exit and message, and no output
  name=$1 program=$2 wanted=$3 message=$4
  rm -rf "$work/f"
  mkdir -p "$work/f/reports"
  { printf -- '---\ntitle: "%s"\nlang: en\ndate: 2026-01-01\n---\n\n' "$name"; cat; } >"$work/f/in.md"
  ending=${program%.sh}
  "$tools/$program" "$work/f/in.md" "$work/f/reports/out.$ending" >"$work/f/out" 2>"$work/f/err"
  got=$?
  ok "$name ($ending): exit $wanted" test $got -eq "$wanted"
  ok "$name ($ending): says so" holds "$work/f/err" "$message"
  ok "$name ($ending): nothing on stdout, nothing left" sh -c "[ ! -s '$work/f/out' ] && ! find '$work/f/reports' -type f | grep ."
}
for program in html.sh pdf.sh; do
  fault 'unknown figure' $program 1 'in.md:7: no figure or table carries the label fig:F09.9' <<'END'
See @fig:F09.9.
END
  fault 'unknown anchor' $program 1 'in.md:9: nothing on this page is called #n-e02-nowhere' <<'END'
First

Then [0.05](#n-e02-nowhere).
END
  fault 'missing picture' $program 1 'no picture ../figures/none' <<'END'
![A caption](../figures/none.svg){#fig:F01.1}
END
  fault 'remote picture' $program 1 'remote image https://example.org/x.png' <<'END'
![A caption](https://example.org/x.png)
END
  fault 'label used twice' $program 1 'two captions carry the label tbl:T01.1' <<'END'
| a |
|---|
| 1 |

: One {#tbl:T01.1}

| a |
|---|
| 1 |

: Two {#tbl:T01.1}
END
done
fault 'script in the text' html.sh 1 'would load something from elsewhere or run a script' <<'END'
`<script>alert(1)</script>`{=html}
END
fault 'unknown formula' html.sh 1 'nosuchmacro' <<'END'
$\nosuchmacro{x}$
END
fault 'unknown formula' pdf.sh 1 'Undefined control sequence' <<'END'
$\nosuchmacro{x}$
END
fault 'emoji without a picture' pdf.sh 1 'line 9: no glyph for 🦄' <<'END'
Fine.

A unicorn 🦄 here.
END
fault 'undefined reference' pdf.sh 1 "Reference \`nowhere' on page 1 undefined" <<'END'
See $\ref{nowhere}$.
END
fault 'line too wide' pdf.sh 1 'Donaudampfschiff' <<'END'
$\mbox{DonaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauunterbeamtengesellschaftDonaudampfschifffahrtsgesellschaft}$
END

printf '# Typed\n\nA <b>tag</b> and a \\newpage.\n' >"$work/typed.md"
ok 'HTML and TeX typed into the text are text: built' "$tools/html.sh" "$work/typed.md" "$work/typed.html" "$work"
ok 'HTML and TeX typed into the text are text' holds "$work/typed.html" '&lt;b&gt;tag&lt;/b&gt; and a \newpage'
ok 'usage is exit 2' sh -c "'$tools/pdf.sh' 2>/dev/null; [ \$? -eq 2 ]"
ok 'an unreadable report is exit 2' sh -c "'$tools/html.sh' '$work/none.md' '$work/none.html' 2>/dev/null; [ \$? -eq 2 ]"
mkdir "$work/bin"
for tool in sh dirname; do ln -s "$(command -v $tool)" "$work/bin/$tool"; done
ok 'without pandoc: exit 3' sh -c "PATH='$work/bin' '$tools/html.sh' '$samples/sample.en.md' '$work/x.html' 2>/dev/null; [ \$? -eq 3 ]"
ln -s "$(command -v pandoc)" "$work/bin/pandoc"
ok 'without xelatex: exit 3' sh -c "PATH='$work/bin' '$tools/pdf.sh' '$samples/sample.en.md' '$work/x.pdf' 2>/dev/null; [ \$? -eq 3 ]"

"$tools/pdf.sh" "$samples/sample.en.md" "$work/b/very/deep/reports/stopped.pdf" 2>/dev/null &
pid=$!
sleep 1
kill -TERM $pid
wait $pid
ok 'stopped half-way: nothing is left' absent "$work/b/very/deep/reports/stopped.pdf" "$work/b/very/deep/reports/stopped.tex" "$work/b/very/deep/reports/stopped.pdf.part"

sum
