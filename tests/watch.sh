#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/watch.sh
#
# `make status` names the file behind what is stale and nothing else, and builds nothing; `make watch` rebuilds what a
# save touches, goes on after an error and leaves nothing behind. On a small copy of the tree, with records of the quick
# profile. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 2
unset MAKEFLAGS MFLAGS MAKELEVEL V EXP
. tests/lib.sh
tree=$work/tree results=data/results/quick
mkdir -p "$tree/$results" "$tree/build/quick/drafts" "$tree/build/quick/reports" "$tree/build/bin"
tar -cf - --exclude='templates/experiments/e*' --exclude='data/frozen/*/e*' Makefile VERSION make src templates data/frozen data/grid data/published | tar -xf - -C "$tree"
for e in e01_baseline e07_conditional; do
  cp -r "templates/experiments/$e" "$tree/templates/experiments/"
  cp "$results/$e.h5" "$tree/$results/"
  cp "data/frozen/quick/$e.tsv" "$tree/data/frozen/quick/"
done
cp -r build/quick/figures "$tree/build/quick/"
cp build/bin/loggbook "$tree/build/bin/"
cd "$tree" || exit 2
find src -type d | sed 's,^src,build/release,' | xargs mkdir -p
mkdir -p data/spectra/quick data/spectra/quick_large
touch build/bin/e01_baseline build/bin/e07_conditional data/spectra/quick/.complete data/spectra/quick_large/.complete
# tests/pandoc.sh is for what pandoc makes of a page; here it is there and quick.
mkdir "$work/tools"
cat >"$work/tools/pandoc" <<'END'
#!/bin/sh
for a; do case $a in *.md) from=$a ;; esac done
for a; do case $a in --output=*) cp "$from" "${a#--output=}" ;; esac done
END
chmod +x "$work/tools/pandoc"
PATH=$work/tools:$PATH

# --- status --------------------------------------------------------------------------------------
settle() { make -t -s -j1 PROFILE=quick STATUS=1 stages; } # all is as new as it can be
state() { find . -type f -printf '%p %s %T@\n' | sort; }
status() { make -s PROFILE=quick status >"$work/status" 2>&1; }
says() { grep -qE -- "$1" "$work/status" || { echo "no '$1' in:"; cat "$work/status"; return 1; }; }
lines() { [ "$(grep -c ' newer' "$work/status")" -eq "$1" ] || { cat "$work/status"; return 1; }; }
stale() { # stale CLAIM FILE WHAT: after a save of FILE, WHAT is stale because of it, in one line
  settle
  sleep 0.02 # the clock of a file system has ticks
  touch "$2"
  ok "$1: make status" status
  ok "$1: the cause is named" says "^$3: $2 is newer\$"
  ok "$1: in one line" lines 1
}
all=' \(md html( pdf)?\)'
settle
ok 'everything is touched' settle
state >"$work/a"
ok 'make status' status
state >"$work/b"
ok 'it builds nothing' cmp "$work/a" "$work/b"
ok 'all is up to date' says '^everything is up to date$'
script() { MAKE='make PROFILE=quick' LOGGBOOK=build/bin/loggbook REPORTS=build/quick/reports sh make/status.sh --profile quick; }
ok 'and the script ends with 0' script
left='build/quick/reports/e77_gone.en.md data/frozen/quick/e77_gone.tsv'
touch $left
ok 'what an experiment left that is gone: make status' status
ok 'is named' says "^templates/experiments/e77_gone is gone, delete what is left of it: $left\$"
ok 'and the script ends with 1' sh -c 'MAKE="make PROFILE=quick" LOGGBOOK=x REPORTS=build/quick/reports sh make/status.sh >/dev/null; [ $? -eq 1 ]'
rm $left
stale 'a report' templates/experiments/e07_conditional/report.zh.md "e07_conditional.zh$all"
ok 'and the script ends with 1' sh -c 'MAKE="make PROFILE=quick" LOGGBOOK=x sh make/status.sh; [ $? -eq 1 ]'
stale 'a spec' templates/experiments/e07_conditional/spec.yaml "record e07_conditional, e07_conditional.en, e07_conditional.zh$all"
stale 'a program' src/experiments/e07_conditional.c "record e07_conditional, e07_conditional.en, e07_conditional.zh$all"
stale 'a model' src/models/conditional.c "spectra of quick, quick_large, record e01_baseline, e07_conditional, 4 pages$all"
stale 'the filling' src/report/fill.c "spectra of quick, quick_large, 4 pages$all"
stale 'a frozen file' data/frozen/quick/e01_baseline.tsv "e01_baseline.en, e01_baseline.zh$all"
stale 'the simulator' src/tools/simulate.c 'spectra of quick, quick_large'
mkdir -p build/quick/dist
for l in en zh; do
  for v in summary framework hub roadmap kanban cards audit; do
    touch "build/quick/drafts/$v.$l.md" "build/quick/reports/$v.$l.md" "build/quick/reports/$v.$l.html" "build/quick/reports/$v.$l.pdf"
  done
done
touch build/quick/dist/MANIFEST.sha256
stale 'what stands above' templates/experiments/e01_baseline/report.en.md "e01_baseline.en$all, views, audit, dist"
settle
rm "$results/e07_conditional.h5" build/quick/reports/e01_baseline.en.md
status
ok 'a record that is not there' says '^record e07_conditional, .*: 1 record is not there'
ok 'a page that is not there' says '^e01_baseline.en .*1 page is not there'
ok 'a Makefile that is none: exit 2' sh -c 'MAKE="make -f VERSION" LOGGBOOK=x sh make/status.sh 2>/dev/null; [ $? -eq 2 ]'
cd - >/dev/null || exit 2
cp "$results/e07_conditional.h5" "$tree/$results/"
cp build/bin/loggbook "$tree/build/bin/"
cd "$tree" || exit 2
rm -rf build/quick/dist build/quick/reports build/quick/drafts
mkdir -p build/quick/reports build/quick/drafts

# --- watch ---------------------------------------------------------------------------------------
mkdir "$work/bare"
for tool in sh make mkdir sed grep; do ln -s "$(command -v $tool)" "$work/bare/"; done
ok 'without inotifywait it says what to install' sh -c "PATH='$work/bare' sh make/watch.sh 2>&1 | grep -q inotify-tools"
if ! command -v inotifywait >/dev/null 2>&1; then
  echo 'note: no inotifywait, make watch is not run'
  sum
  exit
fi
ok 'an experiment that does not exist' sh -c 'PROFILE=quick sh make/watch.sh e77 2>&1 | grep -q "no experiment .e77."'

log=$work/log
start() { # start ARGUMENT...: in a group of its own, as a terminal would
  : >"$log"
  # shellcheck disable=SC2016
  setsid env --default-signal=INT sh -c 'echo $$ >"$1"; shift; exec make -s watch "$@"' - "$work/group" "$@" >"$log" 2>&1 &
  made=0
  round
}
round() { # until it waits again
  made=$((made + 1))
  for _ in $(seq 600); do
    [ "$(grep -cE '^  ([0-9.]+ s$|failed after|nothing to rebuild)' "$log")" -lt $made ] || return 0
    sleep 0.1
  done
  cat "$log"
  return 1
}
fresh() { tail -n +"$((seen + 1))" "$log"; }
shows() { fresh | grep -qE -- "$1" || { echo "no '$1' in:"; fresh; return 1; }; }
once() { [ "$(fresh | grep -cE -- "$1")" -eq 1 ] || { fresh; return 1; }; }
save() { # save COMMAND...: and wait for what comes of it
  seen=$(wc -l <"$log")
  "$@"
  round
}
report=templates/experiments/e01_baseline/report.en.md
page=build/quick/reports/e01_baseline.en.html
settle
rm build/quick/reports/*.html
cp "$OLDPWD/build/bin/loggbook" build/bin/
ok 'it starts, and fills what is not there' start PROFILE=quick
ok 'all pages are there' ls build/quick/reports/e01_baseline.en.html build/quick/reports/e01_baseline.zh.html \
  build/quick/reports/e07_conditional.en.html build/quick/reports/e07_conditional.zh.html
cp "$report" "$work/report"
more() { echo 'A sentence that was not there.' >>"$report"; }
ok 'a save' save more
ok 'is named' shows "^[0-9:]+ saved $report\$"
ok 'what was made is named with its cause' shows "made e01_baseline.en \\(md html\\): $report is newer"
ok 'nothing else is made' once '^  made'
ok 'the page says it' grep -q 'A sentence that was not there' "$page"
typed() { echo 'A gain of 0.078.' >>"$report"; }
ok 'an error' save typed
ok 'is shown with file and line' shows "$report:[0-9]+:[0-9]+: the number '0.078' is typed"
ok 'the page stays as it was' grep -q 'A sentence that was not there' "${page%.html}.md"
ok 'in each form' grep -q 'A sentence that was not there' "$page"
renamed() { cp "$work/report" "$report.new~" && mv "$report.new~" "$report"; }
ok 'an editor that writes aside and renames' save renamed
ok 'is one save' shows "saved $report\$"
ok 'and the page is whole again' no grep -q 'A sentence that was not there' "$page"
burst() { for _ in 1 2 3 4 5; do touch templates/experiments/e0*/report.en.md; done; }
ok 'a burst of saves' save burst
ok 'is one round' once ' saved '
broken() { echo 'int main(void) { return x; }' >src/experiments/e07_conditional.c; }
ok 'a program that does not compile' save broken
ok 'the compiler names the line' shows 'src/experiments/e07_conditional.c:1:[0-9]+: error'
printf '#!/bin/sh\ntouch %s\n' "$results/e01_baseline.h5" >build/bin/e01_baseline # stands in for the run
chmod +x build/bin/e01_baseline
ok 'a spec: the record is made again' save touch templates/experiments/e01_baseline/spec.yaml
ok 'and named' shows 'made record e01_baseline, e01_baseline\..*/spec.yaml'

stopped() { # stopped SIGNAL: nothing is left of the group
  group=$(cat "$work/group")
  kill -s "$1" -- "-$group"
  for _ in $(seq 50); do
    pgrep -g "$group" >/dev/null || return 0
    sleep 0.1
  done
  pgrep -ag "$group"
  return 1
}
ok 'Ctrl-C ends it and all it started' stopped INT

mkdir -p data/spectra/standard data/spectra/large data/results/standard reports build/standard/drafts
cp "$OLDPWD/src/experiments/e07_conditional.c" src/experiments/
for _ in 1 2; do make -t -s -j1 PROFILE=standard STATUS=1 stages; done >"$work/why"
spec=templates/experiments/e07_conditional/spec.yaml
ok 'the standard profile: it starts' start PROFILE=standard
state >"$work/a"
ok 'a spec' save touch $spec
sleep 0.5
ok 'its record, which takes minutes, is named' shows "not rerun: record e07_conditional: $spec is newer"
state | grep -vF "$spec" >"$work/b"
ok 'and no page waits for it' shows 'nothing to rebuild'
ok 'nor is it rerun' sh -c 'grep -vF "$1" "$2" | cmp - "$3"' - "$spec" "$work/a" "$work/b"
ok 'kill ends it too' stopped TERM
sum
