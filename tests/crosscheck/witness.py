# SPDX-License-Identifier: GPL-3.0-or-later
"""What every witness shares: the arrays of the library's program, the comparisons, the stop watch.

    w = Witness("logistic")            # runs build/bin/witness_logistic, loads its arrays
    with w.timed("fit"):               # our own seconds beside the library's of the same name
        ...
    w.close("coefficients", w["coef"], theirs, rtol=1e-6)
    w.faster("fit", 0.5)               # with --full: at most half of our wall time
    w.within("fit", 3e9)               # with --full: at most 3 GB
    w.end()

Prints one line a comparison and ends "N passed, N failed". Exit status 0 all agree, 1 a
disagreement, 2 could not do it. A benchmark runs with --full; without it no time is judged.
"""
import contextlib
import glob
import math
import os
import resource
import subprocess
import sys
import time

PACKAGES = {"numpy": "python3-numpy", "scipy": "python3-scipy", "sklearn": "python3-sklearn",
            "pandas": "python3-pandas", "tables": "python3-tables",
            "torch": "python3-torch"}


def need(*modules):
    """Go on with a Python that has @modules, or say what to install and stop."""
    missing = []
    for module in modules:
        try:
            __import__(module)
        except ImportError:
            missing.append(module)
    if not missing:
        return
    system = "/usr/bin/python3"
    if os.path.exists(system) and "LOGGBOOK_CROSSCHECK" not in os.environ:
        os.environ["LOGGBOOK_CROSSCHECK"] = "system python"
        os.execv(system, [system] + sys.argv)
    print(f"crosscheck: {sys.executable} has no {', '.join(missing)}; nothing was checked.\n"
          f"On Debian or Ubuntu: apt-get install {' '.join(PACKAGES[m] for m in missing)}",
          file=sys.stderr)
    sys.exit(2)


need("numpy")
import numpy as np  # noqa: E402


class Witness:
    def __init__(self, name):
        self.name, self.full = name, "--full" in sys.argv[1:]
        self.passed = self.failed = 0
        self.seconds = {}
        where = f"build/crosscheck/{name}{'_full' if self.full else ''}"
        os.makedirs(where, exist_ok=True)
        command = [f"build/bin/witness_{name}", where] + (["--full"] if self.full else [])
        if subprocess.run(command).returncode:
            print(f"crosscheck: {' '.join(command)} failed", file=sys.stderr)
            sys.exit(2)
        self.arrays = {os.path.basename(f)[:-4]: np.load(f) for f in glob.glob(where + "/*.npy")}
        rows = [line.split("\t") for line in open(where + "/times.tsv")]
        self.ours = {task: (float(s), int(peak)) for task, s, peak in rows}

    def __getitem__(self, array):
        return self.arrays[array]

    def line(self, what, ok, detail):
        self.passed, self.failed = self.passed + bool(ok), self.failed + (not ok)
        print(f"  {'ok  ' if ok else 'FAIL'} {self.name + ': ' + what:<58} {detail}")

    def close(self, what, ours, theirs, rtol=0.0, atol=0.0):
        """The largest difference is at most @atol + @rtol of the largest value."""
        ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
        if ours.shape != theirs.shape or not ours.size:
            self.line(what, False, f"shapes {ours.shape} and {theirs.shape}")
            return
        allowed = atol + rtol * float(np.max(np.abs(theirs)))
        worst = float(np.max(np.abs(ours - theirs)))
        self.line(what, worst <= allowed,
                  f"{ours.size:>8} values differ by {worst:.1e}, allowed {allowed:.0e}")

    def equal(self, what, ours, theirs):
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        same = ours.shape == theirs.shape and ours.size > 0 and bool(np.all(ours == theirs))
        self.line(what, same, f"{ours.size:>8} values {'identical' if same else 'NOT identical'}")

    @contextlib.contextmanager
    def timed(self, task):
        since = time.perf_counter()
        yield
        self.seconds[task] = min(time.perf_counter() - since, self.seconds.get(task, math.inf))

    def faster(self, task, most):
        """With --full: the library's wall time is at most @most of ours. One printed row."""
        if not self.full:
            return
        (ours, peak), theirs = self.ours[task], self.seconds[task]
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.line(f"{task}, wall time", ours <= most * theirs,
                  f"{ours:8.3f} s : {theirs:8.3f} s = {ours / theirs:5.2f}, at most {most:.2f};"
                  f"  {peak / 1e9:5.2f} GB : {own / 1e9:5.2f} GB")

    def within(self, task, most):
        """With --full: the library's peak memory up to the end of the task is at most @most bytes."""
        if self.full:
            peak = self.ours[task][1]
            self.line(f"{task}, memory", peak <= most, f"{peak / 1e9:.2f} GB, at most {most / 1e9:.2f}")

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed or not self.passed else 0)
