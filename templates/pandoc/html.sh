#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: html.sh REPORT.pandoc.md REPORT.html [FOLDER]
#
# One self-contained page from a filled report. FOLDER is where the report finally lies: its figure paths
# start there (default: the folder of REPORT.html).
# Exit 0 done, 1 the report has a fault (each named on stderr), 2 cannot do it, 3 pandoc is not installed.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
die() { printf 'html.sh: %s\n' "$2" >&2; exit "$1"; }

[ $# -eq 2 ] || [ $# -eq 3 ] || die 2 'usage: html.sh REPORT.pandoc.md REPORT.html [FOLDER]'
in=$1 out=$2 folder=${3:-$(dirname -- "$2")}
command -v pandoc >/dev/null 2>&1 || die 3 'pandoc is not installed'
[ -r "$in" ] || die 2 "cannot read $in"

part=$out.part
trap 'rm -f -- "$part" "$part.tidy"' EXIT
trap 'exit 2' HUP INT TERM

# HTML and TeX typed into a page are text there, as on most forges; looking for them costs a fifth of the time.
# Chinese quotation marks stay as typed; in English straight quotes become curly.
from=markdown-raw_html-raw_tex-latex_macros
case $(sed -n '2,40s/^lang: *["'\'']*\([a-z]*\).*/\1/p' "$in" | head -n 1) in
zh) from=$from-smart ;;
esac

# A small nursery and a lazy old generation: half of pandoc's time was its garbage collector's.
pandoc +RTS -A2m -F8 -RTS "$in" --from="$from" --to=html5 --fail-if-warnings --resource-path="$folder" \
  --lua-filter="$here/common.lua" --lua-filter="$here/html.lua" --template="$here/report.html" \
  --css="$here/report.css" --self-contained --mathml --toc --toc-depth=3 --wrap=none --output="$part" || exit 1

# Self-contained means that opening the page asks nobody for anything.
if grep -nEio '<script|<(link|img|iframe|object|embed|source|video|audio)[^>]*(src|href|data)="?(https?:)?//[^ >]*|@import[^;]*|url\(["'\'']?https?:[^)]*' "$part" >&2; then
  die 1 "$in: the page above would load something from elsewhere or run a script"
fi
# Fences hug what they hold, and an input element has no end tag.
sed -e 's/<mo \(stretchy="[a-z]*" \)\?form="\(prefix\|postfix\)"/& lspace="0" rspace="0"/g' -e 's|</input>||g' "$part" >"$part.tidy"
mv -- "$part.tidy" "$out"
