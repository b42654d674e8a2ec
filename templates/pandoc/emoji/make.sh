#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: make.sh [EMOJI...]     for instance: make.sh 🦄 🧲
#
# Draws EMOJI (default: all of list.txt) from the font Noto Color Emoji into CODEPOINT.png beside this file,
# for XeTeX, which cannot use a colour font. Needs pango-view (Debian: libpango1.0-dev) and fonts-noto-color-emoji.
set -eu
cd "$(dirname -- "$0")"
[ $# -gt 0 ] || set -- $(sed 's/#.*//' list.txt)
for char; do
  code=$(printf %s "$char" | iconv -t UTF-32BE | od -An -v -tx1 | tr -d ' \n' | cut -c 1-8 | sed 's/^0*//' | tr a-f A-F)
  # U+FE0F asks for the picture where a text form exists too
  base=$(printf %s "$char" | iconv -t UTF-32BE | head -c 4 | iconv -f UTF-32BE)
  pango-view --no-display --font='Noto Color Emoji' --pixels --dpi=72 --markup --margin=0 --background=transparent \
    --text="<span font_size='59pt'>$base"'️</span>' --output="$code.part.png"
  mv "$code.part.png" "$code.png"
done
