#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Arrows go one way: each layer includes only itself and what the Makefile lists under needs_<layer>.
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0
verdict() { # verdict STATUS CLAIM
  if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL: $2"; fi
}
layers=$(sed -n 's/^LAYERS *:= *//p' Makefile)
for layer in $layers; do
  allowed="$layer $(sed -n "s/^needs_$layer *:= *//p" Makefile)"
  bad=$(grep -HnoE '^#include "[a-z]+/' src/"$layer"/*.[ch] | while IFS= read -r line; do
    to=${line##*\"}
    case " $allowed " in *" ${to%/} "*) ;; *) echo "  $line" ;; esac
  done)
  [ -z "$bad" ]
  verdict $? "$layer may include only: $allowed
$bad"
done
# <hdf5.h> has two homes (spectra in, records out), <jansson.h> two (records, what is published), <archive.h> two
# (revisions in, bundles out), the others one each.
only() { # only HEADER PATTERN
  bad=$(grep -lE "^#include <$1" -r src | grep -vE "$2")
  [ -z "$bad" ]
  verdict $? "<$1> belongs to $2, not to: $bad"
}
only 'hdf5' '^src/(data|record)/'
only '(cairo|pango)' '^src/figure/'
only 'yaml' '^src/core/'
only 'jansson' '^src/(record|publish)/'
only 'openssl' '^src/core/'
only 'archive' '^src/(report|publish)/'
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
