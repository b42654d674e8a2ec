#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Ridge on spectra, ours beside scikit-learn, in one run: wall time and peak memory as ratios.
#
#   tests/bench/bench.sh [--quick]
#
# Both read the same HDF5 file, add noise by the same rule (each with its own generator), fit the same
# models in float64 and score them on the same 1,024 test rows; the two alternate, REPEATS times, and
# the best time of each counts. Exit status: 0 all targets met, 1 one missed, 2 it could not run.
# PYTHON and REPEATS may be set; `make bench` builds build/bin/bench_ridge first.
set -u
cd "$(dirname "$0")/../.." || exit 2
bench=build/bin/bench_ridge rows=32768 rebin=1 repeats=${REPEATS:-3} size=full
case ${1-} in
--quick) rows=4096 rebin=8 repeats=1 size=quick ;;
'') ;;
*) echo "bench.sh: unknown argument '$1'; usage: bench.sh [--quick]" >&2 && exit 2 ;;
esac
python=
for candidate in "${PYTHON:-python3}" /usr/bin/python3; do
    "$candidate" -c 'import numpy, pandas, sklearn, tables' 2>/dev/null && python=$candidate && break
done
if [ -z "$python" ]; then
    echo "bench.sh: needs NumPy, pandas, PyTables and scikit-learn for Python 3:" >&2
    echo "  apt-get install python3-sklearn python3-pandas python3-tables" >&2
    exit 2
fi
[ -x $bench ] || { echo "bench.sh: $bench is missing; run make bench" >&2 && exit 2; }
mkdir -p build/bench && $bench make "build/bench/$size" $rows $rebin || exit 2
out=build/bench/$size.txt
: >"$out"
for task in one six bins; do
    for run in $(seq "$repeats"); do
        echo "ours $task $($bench run "build/bench/$size" $task 2>/dev/null)" >>"$out"
        echo "sklearn $task $($python tests/bench/bench_ridge.py "build/bench/$size" $task)" >>"$out"
        echo "bench.sh: $task, round $run of $repeats done" >&2
    done
done
echo "$rows rows, kernel $($bench core), $(nproc) CPUs, $("$python" -c \
    'import numpy, sklearn; print("NumPy", numpy.__version__, "scikit-learn", sklearn.__version__)')"
awk -v full=$((rows == 32768)) '
    NF < 5 { print "bench.sh: " $1 " " $2 " did not finish" > "/dev/stderr"; broken = 1 }
    { k = $1 " " $2
      if (!(k in wall) || $3 < wall[k]) wall[k] = $3
      if (!(k in peak) || $4 > peak[k]) peak[k] = $4
      r2[k] = $NF }
    END {
        if (broken) exit 2
        label["one"] = "one alpha"; label["six"] = "six alphas"
        label["bins"] = "nine bins + global, six alphas"
        most_wall["one"] = 0.60; most_wall["six"] = most_wall["bins"] = 0.20
        most_peak["one"] = most_peak["six"] = 0.15; most_peak["bins"] = 0.30
        split("one six bins", tasks)
        printf "%-31s %8s %8s %6s %7s %8s %8s %6s %7s %15s\n", "float64", "ours s", "sklearn", "ratio",
            "target", "ours GB", "sklearn", "ratio", "target", "R2 global"
        for (i = 1; i <= 3; i++) {
            t = tasks[i]; a = "ours " t; b = "sklearn " t
            w = wall[a] / wall[b]; m = peak[a] / peak[b]
            missed += full && (w > most_wall[t] || m > most_peak[t])
            printf "%-31s %8.2f %8.2f %6.2f %7s %8.2f %8.2f %6.2f %7s  %s %s\n", label[t], wall[a],
                wall[b], w, full ? sprintf("%.2f", most_wall[t]) : "-", peak[a] / 1e9, peak[b] / 1e9,
                m, full ? sprintf("%.2f", most_peak[t]) : "-", r2[a], r2[b]
        }
        exit missed ? 1 : 0
    }' "$out"
