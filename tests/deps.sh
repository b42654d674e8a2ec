#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Install the Debian or Ubuntu packages the project stands on; elsewhere say which ones those are.
set -eu

build='gcc make pkg-config git ca-certificates libhdf5-dev libgsl-dev libopenblas-dev librandom123-dev libcairo2-dev
  libpango1.0-dev libyaml-dev libjansson-dev libssl-dev libarchive-dev fonts-dejavu-core'
reports='pandoc texlive-xetex texlive-lang-chinese texlive-fonts-recommended lmodern fonts-noto-core fonts-noto-cjk
  fonts-freefont-otf fonts-texgyre-math'
checks='libcriterion-dev clang libomp-dev clang-format valgrind poppler-utils python3-numpy python3-sklearn python3-pandas
  python3-tables r-base-core chromium inotify-tools'

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
  echo "make deps knows Debian and Ubuntu. Elsewhere install what these packages hold:" >&2
  printf '  to build:   %s\n  for HTML and PDF: %s\n  for the tests and make watch: %s\n' "$build" "$reports" "$checks" | tr -s ' \n' ' ' >&2
  echo >&2
  exit 2
fi

missing=
for package in $build $reports $checks; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || { echo "make deps: run as root, or install:$missing" >&2; exit 2; }
  as_root=sudo
fi
echo "make deps: installing$missing"
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
