#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: pdf.sh REPORT.pandoc.md REPORT.pdf [FOLDER]
#
# REPORT.pdf, and REPORT.tex beside it, from a filled report. FOLDER is where the report finally lies: its
# figure paths start there (default: the folder of REPORT.pdf). Same input, same bytes, wherever it is built:
# the dates are those of the report and the file id comes from the text.
# A missing glyph, an undefined reference or a line more than 5 pt too wide is a fault.
# Exit 0 done, 1 the report has a fault (each named on stderr), 2 cannot do it, 3 pandoc or xelatex is not installed.
set -eu

LIMIT_PT=5
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
die() { printf 'pdf.sh: %s\n' "$2" >&2; exit "$1"; }

[ $# -eq 2 ] || [ $# -eq 3 ] || die 2 'usage: pdf.sh REPORT.pandoc.md REPORT.pdf [FOLDER]'
in=$1 out=$2 folder=${3:-$(dirname -- "$2")}
for tool in pandoc xelatex xdvipdfmx; do
  command -v $tool >/dev/null 2>&1 || die 3 "$tool is not installed"
done
[ -r "$in" ] || die 2 "cannot read $in"
[ -d "$folder" ] || die 2 "no folder $folder"
case $out in *.pdf) ;; *) die 2 "$out does not end in .pdf" ;; esac
tex=${out%.pdf}.tex

work=$(mktemp -d)
trap 'rm -rf -- "$work" "$out.part" "$tex.part"' EXIT
trap 'exit 2' HUP INT TERM

# A field of the front matter
field() { sed -n "2,40s/^$1: *[\"']*\([^\"']*\).*/\1/p" "$in" | head -n 1; }

case $(field lang) in
zh*) set -- --from=markdown-raw_html-raw_tex-latex_macros-smart --to=latex-smart ;;
*) set -- --from=markdown-raw_html-raw_tex-latex_macros --to=latex --variable=english ;;
esac
date=$(field date)
: "${SOURCE_DATE_EPOCH:=$(date -u -d "${date:-1970-01-01}" +%s 2>/dev/null || echo 0)}"
export SOURCE_DATE_EPOCH FORCE_SOURCE_DATE=1 max_print_line=10000

# See html.sh for the collector.
pandoc +RTS -A2m -F8 -RTS "$in" "$@" --fail-if-warnings --resource-path="$folder" --wrap=none --toc --highlight-style=tango \
  --lua-filter="$here/common.lua" --lua-filter="$here/tables.lua" --lua-filter="$here/latex.lua" \
  --template="$here/report.tex" --variable=graphics="./" --variable=graphics=FOLDER_OF_EMOJI --output="$work/report.tex" || exit 1

# The id of the file comes from its text, without the one path that depends on where it is built.
id=$(sha256sum "$work/report.tex" | cut -c 1-32)
to_emoji=$(realpath --relative-to="$folder" "$here")/
sed -i -e "s/TRAILERID/$id/g" -e "s|FOLDER_OF_EMOJI|$to_emoji|" "$work/report.tex"

# A table of contents without its page numbers: the first pass then gives every page its place.
sed -n 's/^\\\(\(sub\)*section\){\(.*\)}\\label{.*/\\contentsline {\1}{\3}{1}{}%/p' "$work/report.tex" >"$work/report.toc"
# Passes until contents, references and table widths stand still: two as a rule.
run() { (cd "$folder" && xelatex -no-pdf -interaction=nonstopmode -halt-on-error \
  -output-directory="$work" "$work/report.tex" >"$work/stdout" 2>&1); }
settled=
for pass in 1 2 3 4 5; do
  cat "$work/report.aux" "$work/report.toc" "$work/report.out" >"$work/before" 2>/dev/null || :
  if ! run; then
    printf '%s: XeLaTeX stopped:\n' "$in" >&2
    grep -A 3 '^!' "$work/report.log" >&2 || tail -n 20 "$work/stdout" >&2
    exit 1
  fi
  cat "$work/report.aux" "$work/report.toc" "$work/report.out" >"$work/after" 2>/dev/null || :
  if cmp -s "$work/before" "$work/after"; then
    settled=yes
    break
  fi
done
[ "$settled" ] || die 1 "$in: the page numbers do not settle"

# What the log of the last pass has to say, with the text it is about.
awk -v limit=$LIMIT_PT -v report="$in" -v source="$work/report.tex" '
  function fault(text) { print report ": " text; faults++ }
  function quote(from, to,   k, text) {
    for (k = from; k <= to && k < from + 12; k++) text = text (text == "" ? "" : " ") line[k]
    return length(text) > 160 ? substr(text, 1, 160) "..." : text
  }
  function missing(char, font,   k, l, where, found) {
    while ((getline l < report) > 0) {
      k++
      if (index(l, char) && ++found <= 5) where = where (found > 1 ? ", " : "") k
    }
    close(report)
    sub(/\/.*/, "", font)
    fault("line " (found ? where (found > 5 ? ", ..." : "") : "?") ": no glyph for " char " in " font \
      "; other words, another sign, or for an emoji: templates/pandoc/emoji/make.sh " char)
  }
  BEGIN { while ((getline l < source) > 0) line[++n] = l }
  /^Missing character: / { if (!seen[$6]++) missing($6, $10) }
  /^LaTeX Warning: .*(undefined|multiply)/ || /Hyper reference .* undefined/ { fault($0) }
  /^Overfull \\[hv]box \(/ {
    width = $0; sub(/.*\(/, "", width); sub(/pt.*/, "", width)
    if (width + 0 > limit) {
      text = ""
      if (match($0, /lines? [0-9]+(--[0-9]+)?/)) {
        split(substr($0, RSTART, RLENGTH), part, /[ -]+/)
        text = quote(part[2] + 0, part[3] ? part[3] + 0 : part[2] + 0)
      }
      fault($0 (text == "" ? "" : "\n    " text))
    }
  }
  END { exit faults > 0 }' "$work/report.log" >&2 || exit 1

(cd "$folder" && xdvipdfmx -q -E -o "$work/report.pdf" "$work/report.xdv" >"$work/stdout" 2>&1) || {
  cat "$work/stdout" >&2
  die 1 "$in: xdvipdfmx could not write the PDF"
}
cp -- "$work/report.tex" "$tex.part"
cp -- "$work/report.pdf" "$out.part"
mv -- "$tex.part" "$tex"
mv -- "$out.part" "$out"
