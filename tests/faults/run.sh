#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# usage: tests/faults/run.sh [PROGRAMS]      PROGRAMS: build/bin by default, as `make programs` leaves them
#
# Bad input, a bad disk, an interrupted run: the real programs must say what is wrong in one message that names it,
# exit with 2 (1 for a finding), and leave nothing half-written. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 2
bin=$(CDPATH= cd -- "${1:-build/bin}" && pwd) || exit 2
unset MAKEFLAGS OMP_NUM_THREADS
. tests/lib.sh
ends() { # ends STATUS PATTERN COMMAND...: this exit status, and one message that holds the pattern
  want=$1 pattern=$2
  shift 2
  "$@" >"$work/out" 2>"$work/err"
  got=$?
  [ "$got" -eq "$want" ] || { echo "exit status $got, not $want: $*"; cat "$work/err"; return 1; }
  [ "$(wc -l <"$work/err")" -eq 1 ] || { echo "not one message:"; cat "$work/err"; return 1; }
  grep -qE -- "$pattern" "$work/err" || { echo "no '$pattern' in:"; cat "$work/err"; return 1; }
}
finds() { # finds PATTERN COMMAND...: exit status 1, and the pattern in the report on stdout or stderr
  pattern=$1
  shift
  "$@" >"$work/out" 2>"$work/err"
  got=$?
  [ "$got" -eq 1 ] || { echo "exit status $got, not 1: $*"; cat "$work/err"; return 1; }
  cat "$work/out" "$work/err" | grep -qE -- "$pattern" || { echo "no '$pattern' in:"; cat "$work/out" "$work/err"; return 1; }
}
no_files() { # under a directory that may be missing
  [ ! -e "$1" ] || [ -z "$(find "$1" ! -type d)" ] || { find "$1" ! -type d; return 1; }
}
same() { # two files, not empty
  [ -s "$1" ] && cmp "$1" "$2"
}
no_parts() {
  [ -z "$(find "$1" -name '*.part')" ] || { find "$1" -name '*.part'; return 1; }
}
# The fault stops the program and leaves nothing.
refused() { # refused CLAIM PATTERN COMMAND...: `$work/new` is where the command would write
  claim=$1 pattern=$2
  shift 2
  rm -rf "$work/new"
  ok "$claim" ends 2 "$pattern" "$@"
  ok "$claim: nothing is left" no_files "$work/new"
}

# --- a small data set, a short spec, a tool that spoils files ------------------------------------
damage=$work/damage
# shellcheck disable=SC2046
${CC:-gcc} $(pkg-config --cflags hdf5) tests/faults/damage.c $(pkg-config --libs hdf5) -o "$damage" || exit 2
good=$work/good
"$bin/simulate" --profile quick --out "$good" >"$work/log" 2>&1 || { cat "$work/log"; exit 2; }
cp -r templates "$work/templates"
folder=$work/templates/experiments/e02_piecewise
spec=$folder/spec.yaml
sed -i -e 's/levels: .*/levels: [0.2]/' -e 's/resamples: .*/resamples: 100/' "$spec"

set_of() { # set_of SPLIT...: a data set in $work/bad in which these splits are copies, to be spoilt
  rm -rf "$work/bad"
  mkdir "$work/bad"
  for split in train val test; do
    case " $* " in
    *" $split "*) cp -r "$good/${split}_0" "$work/bad/" ;;
    *) ln -s "$good/${split}_0" "$work/bad/${split}_0" ;;
    esac
  done
}
experiment() { # experiment DATA OUT [OPTION...]
  data=$1 out=$2
  shift 2
  "$bin/e02_piecewise" --profile faults --data "$data" --spec "$spec" --results "$out" --figures "$out" "$@"
}
run_on_bad() { experiment "$work/bad" "$work/new"; }
numbers() { "$bin/loggbook" numbers --tsv --templates "$work/templates" --results "$1" e02; }
says() { # says RESULTS KEY VALUE: VALUE of a number or the pattern of a text
  numbers "$1" | grep -qE "^$2	$3	" || { numbers "$1" | grep -E "^$2	"; echo "$2 is not $3"; return 1; }
}
flux=dataset/arrays/flux/value error=dataset/arrays/error/value
wave=spectrumdataset/wave table=dataset/params/table
in_test=$work/bad/test_0/dataset.h5 in_train=$work/bad/train_0/dataset.h5

# --- shards --------------------------------------------------------------------------------------
refused 'no data directory' "$work/nowhere" experiment "$work/nowhere" "$work/new"
set_of
rm "$work/bad/test_0"
refused 'no test set' "$work/bad has no test_" run_on_bad
set_of
mkdir "$work/bad/train_1"
refused 'a shard is missing' 'train_1/dataset.h5' run_on_bad
: >"$work/bad/train_1/dataset.h5"
refused 'an empty shard' 'train_1/dataset.h5' run_on_bad
echo 'not a spectrum' >"$work/bad/train_1/dataset.h5"
refused 'a shard that is not HDF5' 'train_1/dataset.h5' run_on_bad
ok 'info says that it is not HDF5' ends 2 'train_1/dataset.h5' "$bin/loggbook" info "$work/bad/train_1/dataset.h5"
for bytes in 100 4000 1000000 2090000; do
  set_of test
  head -c $bytes "$good/test_0/dataset.h5" >"$in_test"
  refused "a shard truncated to $bytes bytes" 'test_0/dataset.h5' run_on_bad
done
for name in $flux $error $wave $table; do
  set_of test
  "$damage" drop "$in_test" $name
  refused "no $name" "test_0/dataset.h5.*${name%/table}" run_on_bad
done
for column in T_eff log_g M_H; do
  set_of test
  LC_ALL=C sed -i "s/$column/$(echo $column | tr '[:alpha:]' x)/g" "$in_test"
  refused "no label $column" "test_0/dataset.h5.*no column '$column'" run_on_bad
done
for name in $flux $error $wave $table; do
  set_of test
  "$damage" cut "$in_test" $name 0 400
  refused "$name is shorter than the rest" 'test_0/dataset.h5.*(400|shapes disagree)' run_on_bad
done
set_of
cp -r "$good/val_0" "$work/bad/train_1"
"$damage" shift "$work/bad/train_1/dataset.h5" $wave 0.5
refused 'wavelengths differ between shards' 'wavelengths of .*train_0.* and .*train_1.* differ' run_on_bad
set_of test
"$damage" shift "$in_test" $wave -0.5
refused 'wavelengths differ between training and test set' 'wavelengths of .*train_0.* and .*test_0.* differ' run_on_bad
set_of test
"$damage" shift "$in_test" $wave -9000
refused 'wavelengths below zero' 'test_0/dataset.h5.*positive and increasing' run_on_bad
for value in nan inf -inf; do
  for name in $flux $error; do
    set_of test
    "$damage" put "$in_test" $name $value 499 1
    refused "$value in too many rows of $name" "1 of 500 test rows .*$(echo $name | cut -d/ -f3) 1" run_on_bad
  done
done
set_of test
"$damage" copy "$in_test" $flux 123 "$good/train_0/dataset.h5"
refused 'a training spectrum in the test set' 'test row 123 .*train row 123 ' run_on_bad
set_of test
"$damage" copy "$in_test" $flux 17 "$good/val_0/dataset.h5"
refused 'a validation spectrum in the test set' 'test row 17 .*val row 17 ' run_on_bad

# A few bad rows are left out and counted; pixels without an error get no noise and are counted.
set_of train
"$damage" put "$in_train" $flux nan 3998 2
"$damage" put "$in_train" $flux -inf 5 1
"$damage" put "$in_train" $error inf 7 1
"$damage" put "$in_train" $error 0 20 3
"$damage" put "$in_train" $error -1 40 4
ok 'a few bad rows do not stop a run' experiment "$work/bad" "$work/few"
ok 'refused rows are counted' says "$work/few" e02.data.n_refused 4
ok 'the rest is used' says "$work/few" e02.data.n_train 3996
ok 'pixels without an error are counted' says "$work/few" e02.data.n_pixels_without_error 7
"$damage" put "$in_train" $flux nan 9 1
refused 'one bad row more stops it' '5 of 4000 train rows' run_on_bad
ok 'info counts bad rows' sh -c "'$bin/loggbook' info --keys '$in_train' | grep -E 'refused|bad'"
cp "$good/test_0/dataset.h5" "$work/altered.h5"
printf 'XXXX' | dd of="$work/altered.h5" bs=1 seek=1000000 conv=notrunc 2>"$work/log"
ok 'info sees that a shard was altered' finds 'altered.h5' "$bin/loggbook" info "$work/altered.h5"

# --- programs and their options ------------------------------------------------------------------
refused 'unknown profile' "quik.*quick" "$bin/simulate" --profile quik --out "$work/new"
refused 'unknown kind of labels' 'labels .*gridlocked' "$bin/simulate" --profile quick --labels gridlocked --out "$work/new"
refused 'a seed that is not a number' "seed 'x'" "$bin/simulate" --profile quick --seed x --out "$work/new"
refused 'no stellar grid' "$work/nowhere/stellar_grid.h5" "$bin/simulate" --profile quick --grid "$work/nowhere" --out "$work/new"
for program in e01_baseline e02_piecewise e03_validation; do
  refused "$program: data of an unknown profile" 'data/spectra/quik' "$bin/$program" --profile quik --results "$work/new" --figures "$work/new"
  refused "$program: unknown option" 'nonsense' "$bin/$program" --nonsense
  refused "$program: unexpected argument" "'word'" "$bin/$program" word
  refused "$program: no spec" "$work/none.yaml" "$bin/$program" --data "$good" --spec "$work/none.yaml" --results "$work/new" --figures "$work/new"
done
ok 'loggbook: unknown command' ends 2 "veryfy.*verify" "$bin/loggbook" veryfy
ok 'loggbook: unknown experiment' ends 2 'e77' "$bin/loggbook" numbers e77

# --- spec.yaml -----------------------------------------------------------------------------------
spec_with() { sed "$1" "$spec" >"$work/spec.yaml" && ! cmp -s "$spec" "$work/spec.yaml"; }
bad_spec() { # bad_spec CLAIM EDIT PATTERN
  ok "$1: the spec differs" spec_with "$2"
  refused "$1" "spec.yaml:[0-9]+:[0-9]+: .*$3" "$bin/e02_piecewise" --data "$good" --spec "$work/spec.yaml" --results "$work/new" --figures "$work/new"
}
bad_spec 'a word for a number' 's/resamples: .*/resamples: many,/' 'many'
bad_spec 'a number for a list' 's/levels: .*/levels: 0.2/' 'levels'
bad_spec 'unknown key' 's/minimum_train:/minimum_trian:/' "minimum_trian.*minimum_train"
bad_spec 'unknown section' 's/^bootstrap:/bootstrop:/' "bootstrop.*bootstrap"
bad_spec 'a field is missing' '/^experiment:/d' 'experiment'
bad_spec 'unsorted edges' 's/teff_edges: .*/teff_edges: [3750, 5250, 4500, 6000]/' '4500'
bad_spec 'overlapping edges' 's/mh_edges: .*/mh_edges: [-2.0, -1.0, -1.0, 0.5]/' '-1'
bad_spec 'alpha zero' 's/alphas: .*/alphas: [0, 0.1, 1]/' '0'
bad_spec 'alpha below zero' 's/alphas: .*/alphas: [-0.1, 0.1, 1]/' '-0.1'
bad_spec 'broken YAML' 's/^noise:/noise: [/' ''

# --- templates -----------------------------------------------------------------------------------
base=$work/base
ok 'the good data run' experiment "$good" "$base"
cat >"$work/report.md" <<'END'
# {{ spec.title }}

{{ verdict H1.2 }} {{ e02.noise_0.2.delta_r2.aligned | +.4f }}

{% claim e02.data.n_train > 0 %}There are rows.{% else %}There are none.{% endclaim %}
END
report_of() { # report_of LINE: the good report and one more line, in both languages
  for lang in en zh; do
    { cat "$work/report.md"; printf '\n%s\n' "$1"; } >"$folder/report.$lang.md"
  done
}
fill() { "$bin/loggbook" fill --profile faults --templates "$work/templates" --results "$base" --figures "$base" --out "$work/new/page.md" --annotated "$work/new/draft.md" "$@" e02; }
lint() { "$bin/loggbook" lint --profile faults --templates "$work/templates" --results "$base" --figures "$base" e02; }
bad_page() { # bad_page CLAIM LINE PATTERN
  report_of "$2"
  refused "$1" "report.en.md:[0-9]+:[0-9]+: .*$3" fill
}
report_of 'All is well.'
mkdir "$work/new"
ok 'a good template is filled' fill
ok 'with what the record holds' grep -qF 'There are rows.' "$work/new/page.md"
bad_page 'unknown key' '{{ e02.noise_0.2.delta_r2.alined }}' 'delta_r2.alined.*delta_r2.aligned'
bad_page 'unknown setting' '{{ spec.thresholds.valuble }}' 'valuble.*valuable'
bad_page 'unknown table' '{{ table T02.9 }}' 'T02.9'
bad_page 'unknown verdict' '{{ verdict H9.9 }}' 'H9.9'
bad_page 'unknown figure' '{{ figure F02.9 }}' 'F02.9'
bad_page 'a tag that is not closed' '{{ e02.data.n_train' ''
bad_page 'a block that is not closed' '{% if e02.data.n_train > 0 %}' 'if'
bad_page 'a block closed twice' '{% endif %}' 'endif'
bad_page 'a condition that cannot be read' '{% if e02.data.n_train > > 0 %}x{% endif %}' ''
report_of '{% claim e02.data.n_train < 0 %}There are no rows.{% endclaim %}'
rm -rf "$work/new"
ok 'a false claim is a finding' finds 'report.en.md:[0-9]+:[0-9]+: ' fill
ok 'a false claim leaves no page' no_files "$work/new"
report_of 'The gain is 0.1234 dex.'
ok 'a typed digit is a finding' finds 'report.en.md:7:.*0.1234' lint
report_of 'The gain is small.'
lint >"$work/out" 2>&1
ok 'without it lint has nothing against the line' sh -c "! grep -E 'report.en.md:7:' '$work/out'"

# --- records -------------------------------------------------------------------------------------
mkdir "$work/spoilt"
ok 'no record' ends 2 "$work/spoilt/e02_piecewise.h5" numbers "$work/spoilt"
head -c 20000 "$base/e02_piecewise.h5" >"$work/spoilt/e02_piecewise.h5"
ok 'a truncated record' ends 2 "$work/spoilt/e02_piecewise.h5" numbers "$work/spoilt"
cp "$base/e02_piecewise.h5" "$work/spoilt/"
printf 'X' | dd of="$work/spoilt/e02_piecewise.h5" bs=1 seek=9000 conv=notrunc 2>"$work/log"
ok 'an edited record' ends 2 "$work/spoilt/e02_piecewise.h5" numbers "$work/spoilt"

# --- disk ----------------------------------------------------------------------------------------
# A file may not grow beyond the limit (512-byte blocks); with SIGXFSZ ignored that is a full disk.
on_full_disk() { # on_full_disk BLOCKS COMMAND...
  (
    trap '' XFSZ
    ulimit -f "$1"
    shift
    "$@"
  )
}
for blocks in 100 2000 20000; do
  rm -rf "$work/new"
  ok "simulate, disk full after $blocks blocks" on_full_disk $blocks ends 2 '/(train|val)_0/dataset.h5' "$bin/simulate" --profile quick --out "$work/new"
  ok "simulate, disk full after $blocks blocks: no half shard" sh -c "[ ! -e '$work/new/train_0/dataset.h5' ]"
  ok "simulate, disk full after $blocks blocks: no .part" no_parts "$work/new"
done
for blocks in 1 8 64; do
  rm -rf "$work/new"
  mkdir "$work/figures"
  ok "an experiment, disk full after $blocks blocks" on_full_disk $blocks ends 2 'e02_' "$bin/e02_piecewise" --data "$good" --spec "$spec" --results "$work/new" --figures "$work/figures"
  ok "an experiment, disk full after $blocks blocks: no record" no_files "$work/new"
  ok "an experiment, disk full after $blocks blocks: no .part" no_parts "$work/figures"
  rm -rf "$work/figures"
done
rm -rf "$work/new"
report_of "$(yes 'Filling, to make the page longer than the disk.' | head -n 40)"
ok 'a page on a full disk' on_full_disk 1 ends 2 'page.md|draft.md' fill
ok 'a page on a full disk: nothing is left' no_files "$work/new"
echo 'a file' >"$work/file"
ok 'simulate into an unwritable place' ends 2 "$work/file" "$bin/simulate" --profile quick --out "$work/file/spectra"
ok 'a record into an unwritable place' ends 2 "$work/file" "$bin/e02_piecewise" --data "$good" --spec "$spec" --results "$work/file/r" --figures "$work/figures"
ok 'a record into an unwritable place: nothing half-written' no_parts "$work/figures"
refused 'figures into an unwritable place' "$work/file" "$bin/e02_piecewise" --data "$good" --spec "$spec" --results "$work/new" --figures "$work/file/f"
ok 'a page into an unwritable place' ends 2 "$work/file" "$bin/loggbook" fill --templates "$work/templates" --results "$base" --figures "$base" --out "$work/file/p.md" e02
ok 'frozen values into an unwritable place' ends 2 "$work/file" "$bin/loggbook" freeze --templates "$work/templates" --results "$base" --frozen "$work/file/z" --reason test e02
ok 'the file in the way is as it was' grep -qx 'a file' "$work/file"

# --- interrupted ---------------------------------------------------------------------------------
# Start in the background, wait until a file matches, send the signal. A shell ignores SIGINT in background jobs, so
# it is put back to its default first.
interrupted() { # interrupted SIGNAL DIRECTORY NAME COMMAND...
  signal=$1 where=$2 name=$3
  shift 3
  env --default-signal=INT "$@" >"$work/out" 2>"$work/err" &
  pid=$!
  while [ -z "$(find "$where" -name "$name" 2>/dev/null)" ]; do
    kill -0 $pid 2>/dev/null || { echo "it was over before there was $name"; return 1; }
  done
  kill -"$signal" $pid
  wait $pid
  got=$?
  [ $got -gt 128 ] || { echo "exit status $got"; return 1; }
}
for signal in INT KILL; do
  rm -rf "$work/again"
  ok "simulate, SIG$signal" interrupted $signal "$work/again" 'dataset.h5.part' "$bin/simulate" --profile quick --out "$work/again"
  ok "simulate, SIG$signal: no shard pretends to be whole" sh -c "[ ! -e '$work/again/test_0/dataset.h5' ]"
  ok "simulate, SIG$signal: runs again" "$bin/simulate" --profile quick --out "$work/again"
  ok "simulate, SIG$signal: the same bytes" diff -r "$good" "$work/again"
done
ok 'a third run keeps every shard' sh -c "'$bin/simulate' --profile quick --out '$work/again' | grep -c 'kept, made earlier' | grep -qx 3"
ok 'a lost shard is made again' sh -c "rm '$work/again/val_0/dataset.h5' && '$bin/simulate' --profile quick --out '$work/again' | grep -c 'kept, made earlier' | grep -qx 2 && diff -r '$good' '$work/again'"
numbers "$base" >"$work/base.tsv"
figures_of() { (cd "$1" && find . -name 'e02_*.svg' -o -name 'e02_*.pdf' -o -name 'e02_*.png' | sort | xargs sha256sum); }
for signal in INT KILL; do
  rm -rf "$work/again"
  ok "an experiment, SIG$signal" interrupted $signal "$work/again" 'e02_*' "$bin/e02_piecewise" --profile faults --data "$good" --spec "$spec" --results "$work/again" --figures "$work/again"
  ok "an experiment, SIG$signal: no record" sh -c "[ ! -e '$work/again/e02_piecewise.h5' ]"
  ok "an experiment, SIG$signal: runs again" experiment "$good" "$work/again"
  numbers "$work/again" >"$work/again.tsv"
  ok "an experiment, SIG$signal: the same numbers" same "$work/base.tsv" "$work/again.tsv"
  ok "an experiment, SIG$signal: nothing half-written" no_parts "$work/again"
  figures_of "$base" >"$work/a"
  figures_of "$work/again" >"$work/b"
  ok "an experiment, SIG$signal: the same figures" same "$work/a" "$work/b"
done

# --- thin and empty bins -------------------------------------------------------------------------
spec_of() { sed "s/teff_edges: .*/teff_edges: [$1]/" "$folder/spec.yaml" >"$work/bins.yaml"; }
spec_of '3750, 3800, 5250, 6000'
spec=$work/bins.yaml
ok 'bins below the minimum do not stop a run' experiment "$good" "$work/thin"
ok 'they are merged and the record says so' says "$work/thin" e02.data.merged_bins '.*below 100: merged along T_eff.*'
spec_of '4000, 5000, 6000, 7000'
ok 'empty bins do not stop a run' experiment "$good" "$work/empty"
ok 'they have no expert and the record says so' says "$work/empty" e02.data.merged_bins '.*has no training rows: no expert.*'
spec_of '100, 200, 300, 400'
refused 'no test row in any bin' 'no test row lies in the bins' experiment "$good" "$work/new"
spec=$folder/spec.yaml
ok 'without either nothing is merged' says "$base" e02.data.merged_bins none

# --- the audit -----------------------------------------------------------------------------------
audit() { "$bin/loggbook" audit --out "$work/new" "$@"; }
published=data/published/published.tsv
refused 'audit without records' 'no record in .*none' audit --profile quick --results "$work/none"
refused 'audit of a record from another profile' 'e02_piecewise.h5 is a record of the profile faults, not quick' \
  audit --profile quick --results "$base"
mkdir "$work/short" "$work/published"
head -c 5000 "$base/e02_piecewise.h5" >"$work/short/e02_piecewise.h5"
refused 'audit of a record cut short' 'short/e02_piecewise.h5' audit --profile faults --results "$work/short"
refused 'audit without published numbers' 'published/published.tsv' \
  audit --profile faults --results "$base" --published "$work/published/published.tsv"
cp "$published" data/published/register.tsv "$work/published/"
sed -i 's/^e02\.noise_0\.2\.delta_r2	/e02.gone	/' "$work/published/published.tsv"
refused 'audit when a key of the register is gone' "register.tsv:2: no published key 'e02.noise_0.2.delta_r2'" \
  audit --profile faults --results "$base" --published "$work/published/published.tsv"

mkdir "$work/foreign"
cp "$base/e02_piecewise.h5" "$work/foreign/e03_validation.h5"
refused 'audit of a record under another name' 'e03_validation.h5 holds the record of e02_piecewise' \
  audit --profile faults --results "$work/foreign"
views() { "$bin/loggbook" views --figures "$work/new" --out "$work/new" "$@"; }
refused 'views of a record under another name' 'e03_validation.h5 (holds the record of|was made with) e02_piecewise' \
  views --profile faults --results "$work/foreign"
refused 'views of a record cut short' 'short/e02_piecewise.h5' views --profile faults --results "$work/short"
refused 'views of a record of another profile' 'e02_piecewise.h5 is of profile faults' views --profile quick --results "$base"

# Pages are found from where the audit is run: a contradiction planted in a copy of one.
mkdir -p "$work/tree/build/faults/reports"
ln -s "$PWD/data" "$PWD/templates" "$PWD/src" "$work/tree/"
planted() { # planted SED: the page with that damage
  printf '# Page\n\n| R² | %s | `e02.noise_0.2.r2.moe` |\n' "$(sed -n 's/^e02\.noise_0\.2\.r2\.moe	\([^	]*\).*/\1/p' "$work/base.tsv")" | sed "$1" >"$work/tree/build/faults/reports/page.en.md"
  (cd "$work/tree" && "$bin/loggbook" audit --profile faults --results "$base" --out "$work/tree/out")
}
ok 'audit of a page that prints its record' planted ''
ok 'audit of a page with another value: a finding' finds 'values: e02.noise_0.2.r2.moe' planted 's/0\.[0-9]*/0.123/'

# --- one's own data ------------------------------------------------------------------------------
set_of
rm "$work/bad/val_0"
ok 'no validation set: a run' experiment "$work/bad" "$work/cut"
ok 'it is cut from the training rows, and the record says so' says "$work/cut" e02.data.validation 'cut from the training rows'
ok 'a fifth of them' says "$work/cut" e02.data.n_val 800
ok 'which are not trained on' says "$work/cut" e02.data.n_train 3200
ok 'a validation set of its own is called so' says "$base" e02.data.validation 'a set of its own'
numbers "$work/cut" >"$work/a"
ok 'the cut is seeded: a run again' experiment "$work/bad" "$work/again"
numbers "$work/again" >"$work/b"
ok 'the cut is seeded: the same numbers' same "$work/a" "$work/b"

set_of train
cp -r "$work/bad/train_0" "$work/bad/train_1"
for name in $flux $error $table; do
  "$damage" cut "$in_train" $name 0 1500
  "$damage" cut "$work/bad/train_1/dataset.h5" $name 1500 2500
done
ok 'two training shards: a run' experiment "$work/bad" "$work/two"
numbers "$work/two" >"$work/b"
ok 'two training shards are one set: the numbers of one shard' same "$work/base.tsv" "$work/b"
ok 'and loggbook diff agrees' "$bin/loggbook" diff --fail-on any "$base/e02_piecewise.h5" "$work/two/e02_piecewise.h5"

# --- two states that cannot be compared ----------------------------------------------------------
diff_of() { "$bin/loggbook" diff "$@"; }
head -c 20000 "$base/e02_piecewise.h5" >"$work/cut.h5"
ok 'diff: an unknown revision' ends 2 "no revision 'nowhere'" diff_of nowhere
ok 'diff: no repository' ends 2 'not a git repository' env GIT_CEILING_DIRECTORIES="$work" GIT_DIR="$work/none" "$bin/loggbook" diff HEAD
ok 'diff: a file and a revision' ends 2 'two files' diff_of "$base/e02_piecewise.h5" HEAD
ok 'diff: a record that was cut' ends 2 'cut short' diff_of "$base/e02_piecewise.h5" "$work/cut.h5"
ok 'diff: of two experiments' ends 2 'belongs to e02' diff_of "$base/e02_piecewise.h5" data/frozen/quick/e01_baseline.tsv
ok 'diff: of two profiles' ends 2 'of profile standard' diff_of "$base/e02_piecewise.h5" data/frozen/standard/e02_piecewise.tsv
ok 'diff: a policy it does not know' ends 2 '--fail-on is' diff_of --fail-on sometimes HEAD

sum
