#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of what can go wrong do the gates catch?

usage: mutate.py [--each N] [--seed N] [--score FILE] EXPERIMENT...      (make mutate)

Copies the finished quick profile (records, frozen values, templates, figures, pages), spoils the copy in one place at
a time, and asks the gates that would have to notice:

  lint         loggbook lint EXPERIMENT: templates, spec, figures and record against each other
  verify       loggbook verify EXPERIMENT: the record against its frozen values
  fill         loggbook fill EXPERIMENT: the page can still be made
  page         loggbook lint NAME.LANG.md: the finished Markdown is what the record gives
  independent  tests/independent/check.py: the finished HTML is backed by the exported numbers

Pages made anew from a spoilt template, spec or record would follow it, so for those only the first three are asked. A
spoilt record is sealed again, as if a run had written it so. Prints a line a kind and place: how many were made, how
many caught, by which gate first; and what got through. N instances of each (20), drawn with the seed (20251203).
Exit status 0 when at least 95 % were caught, 1 when not, 2 when it could not be done (also when a gate does not pass
before anything is spoilt).
"""
import argparse
import collections
import hashlib
import html
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

ENOUGH = 0.95
NUMBER = re.compile(r"\d+\.\d+|\d[\d,]*\d|\d")
TAG = re.compile(r"\{\{.*?\}\}")
SEAL = 86  # length of the last line of a record: a word and "sha256:" with its 64 digits
CHECKER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "independent", "check.py")


class House:
    """The copy, and the gates asked about it."""

    def __init__(self, folder, experiments):
        self.folder, self.experiments = folder, experiments
        for name, source in (("templates", "templates"), ("results", "data/results/quick"),
                             ("frozen", "data/frozen/quick"), ("figures", "build/quick/figures"),
                             ("reports", "build/quick/reports")):
            shutil.copytree(source, self.path(name))
        os.mkdir(self.path("numbers"))
        for e in sorted(os.listdir("templates/experiments")):
            self.export(e)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def loggbook(self, command, *arguments):
        return subprocess.run(
            ["build/bin/loggbook", command, "--profile", "quick", "--templates", self.path("templates"),
             "--results", self.path("results"), "--frozen", self.path("frozen"),
             "--figures", self.path("figures"), *arguments], capture_output=True, check=False)

    def export(self, experiment):
        with open(self.path("numbers", experiment.partition("_")[0] + ".json"), "wb") as f:
            f.write(self.loggbook("numbers", experiment).stdout)

    def numbers(self, experiment):
        with open(self.path("numbers", experiment.partition("_")[0] + ".json"), encoding="utf-8") as f:
            return json.load(f)

    def passes(self, gate, experiment):
        pages = [self.path("reports", f"{experiment}.{lang}") for lang in ("en", "zh")]
        if gate == "page":
            return self.loggbook("lint", *(p + ".md" for p in pages)).returncode == 0
        if gate == "fill":
            return all(self.loggbook("fill", "--lang", lang, experiment).returncode == 0 for lang in ("en", "zh"))
        if gate == "independent":
            return subprocess.run([sys.executable, CHECKER, "--numbers", self.path("numbers"), "--published",
                                   "data/published/published.tsv", *(p + ".html" for p in pages)],
                                  capture_output=True, check=False).returncode == 0
        return self.loggbook(gate, experiment).returncode == 0


# --- what is spoilt ------------------------------------------------------------------------------
# Each takes the text (bytes of a record), the draws, and the exported numbers, and returns it spoilt, or None when
# there is nothing of the kind.

def other_digit(draw, number):
    """The number with another digit: the first that is not zero, or any after it."""
    places = [i for i, c in enumerate(number) if c.isdigit()]
    solid = [i for i in places if number[i] != "0"] or places
    at = draw.choice([i for i in places if i >= solid[0]])
    return number[:at] + draw.choice([d for d in "123456789" if d != number[at]]) + number[at + 1:]


def pick(draw, pattern, text, change):
    """One match of the pattern, changed; what is quoted from source and the front matter is left alone."""
    quoted = [m.span() for m in re.finditer(r"(?s)\A---\n.*?\n---\n|```.*?```|<pre.*?</pre>|<head>.*?</head>|<nav.*?</nav>",
                                            text)]
    found = [m for m in re.finditer(pattern, text) if not any(a <= m.start() < b for a, b in quoted)]
    if not found:
        return None
    m = draw.choice(found)
    return text[:m.start()] + change(m) + text[m.end():]


def in_html(draw, pattern, text, change):
    """One match in what a reader of the HTML sees, not in an attribute."""
    return pick(draw, r">[^<>]*<", text, lambda m: m.group()) and pick(
        draw, r"(?<=>)[^<>]*" + pattern + r"[^<>]*(?=<)", text,
        lambda m: spoil_inside(draw, pattern, m.group(), change))


def spoil_inside(draw, pattern, text, change):
    m = draw.choice(list(re.finditer(pattern, text)))
    return text[:m.start()] + change(m) + text[m.end():]


def digit(draw):
    return lambda m: other_digit(draw, m.group())


def md_number(draw, text, _):
    return pick(draw, r"(?<![\w.§])\d+\.\d+(?![\w.])", text, digit(draw))


def html_number(draw, text, _):
    return in_html(draw, r"(?<![\w.])\d+\.\d+(?![\w.])", text, digit(draw))


def html_linked(draw, text, _):
    return pick(draw, r'(<a href="#n-[^>]*>)([^<]*\d[^<]*)(?=</a>)', text,
                lambda m: m[1] + spoil_inside(draw, NUMBER, m[2], digit(draw)))


def md_interval(draw, text, _):
    return pick(draw, r"\[−?\d[\d.]*, −?\d[\d.]*\]", text, lambda m: spoil_inside(draw, NUMBER, m.group(), digit(draw)))


def html_interval(draw, text, numbers):
    return pick(draw, r"(?<=>)\[−?\d[\d.]*, −?\d[\d.]*\]", text,
                lambda m: spoil_inside(draw, NUMBER, m.group(), digit(draw)))


WORDS = ("PASS ✅", "PARTIAL ⚠️", "FAIL ❌", "INCONCLUSIVE ❓", "NOT RUN ⏳")


def verdict(draw, text, _):
    return pick(draw, "|".join(WORDS), text, lambda m: draw.choice([w for w in WORDS if w != m.group()]))


def swap(text, a, b):
    """Two spans of the text, the first before the second, exchanged."""
    return text[:a[0]] + text[b[0]:b[1]] + text[a[1]:b[0]] + text[a[0]:a[1]] + text[b[1]:]


def swap_rows(draw, text, table, row, same):
    tables = [m for m in re.finditer(table, text)]
    draw.shuffle(tables)
    for t in tables:
        rows = [m for m in re.finditer(row, t.group())]
        pairs = [(a, b) for i, a in enumerate(rows) for b in rows[i + 1:] if same(a.group()) != same(b.group())]
        if pairs:
            a, b = draw.choice(pairs)
            return swap(text, *([x.start() + t.start(), x.end() + t.start()] for x in (a, b)))
    return None


def md_rows(draw, text, _):
    return swap_rows(draw, text, r"(?m)(?<=-\|\n)(?:\|.*\n)+", r"\|.*\n", str)


def html_rows(draw, text, _):
    return swap_rows(draw, text, r"(?s)<tbody>.*?</tbody>", r"(?s)<tr.*?</tr>",
                     lambda s: re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]*>", "", s))))


def template_rows(draw, text, _):
    return swap_rows(draw, text, r"(?m)(?<=-\|\n)(?:\|.*\n)+", r"\|.*\{\{.*\n", TAG.findall)


def dropped_tag(draw, text, _):
    return pick(draw, r"\{\{ (?!table|figure|code|scope|provenance|hypotheses)[^}]*\}\}", text, lambda m: "")


def dropped_block(draw, text, _):
    return pick(draw, r"\{\{ (table|figure|code|scope|provenance|hypotheses)[^}]*\}\}", text, lambda m: "")


def dropped_link(draw, text, _):
    return pick(draw, r'<a href="#n-[^>]*>[^<]*</a>', text, lambda m: "")


def dropped_number(draw, text, _):
    return pick(draw, r"(?<![\w.§])\d+\.\d+(?![\w.])", text, lambda m: "")


def typed(draw, text, _):
    return pick(draw, r"\{\{ e\d\d\.[^}]*\}\}", text, lambda m: "0.%03d" % draw.randrange(10, 999))


def edited_line(draw, text, _):
    return pick(draw, r"(?m)^[^\n|#>`!$\-]{40,}$", text, lambda m: "")


def edited_word(draw, text, _):
    return pick(draw, r"\b(not|no|more|less|above|below|gains?|loses?|is|不|高于|低于|没有|提高|下降)\b|[不高低]", text,
                lambda m: "never" if m.group().isascii() else "未")


def other_key(draw, text, _):
    tags = sorted(set(re.findall(r"\{\{ (e\d\d\.[^ }]*)", text)))
    return tags[1:] and pick(draw, r"(?<=\{\{ )e\d\d\.[^ }]*", text,
                             lambda m: draw.choice([t for t in tags if t != m.group()]))


def other_condition(draw, text, _):
    return pick(draw, r"(?<=\{% claim )[^%]*(?= %\})", text, lambda m: "not (" + m.group() + ")")


def dropped_heading(draw, text, _):
    return pick(draw, r"(?m)^#{2,4} .*\n", text, lambda m: "")


def other_link(draw, text, _):
    links = sorted(set(re.findall(r'<a href="#n-[^>]*>[^<]*</a>', text)))
    return links[1:] and pick(draw, r'<a href="#n-[^>]*>[^<]*</a>', text,
                              lambda m: draw.choice([x for x in links if x != m.group()]))


def other_picture(draw, text, _):
    pictures = [m.span() for m in re.finditer(r"data:image/svg\+xml;base64,[^\"]*", text)]
    return pictures[1:] and swap(text, *sorted(draw.sample(pictures, 2)))


def spec_pictures(draw, text, _):
    files = [m.span(1) for m in re.finditer(r"(?m)\bfile: *(e\d\d_\w+)", text)]
    return files[1:] and swap(text, *sorted(draw.sample(files, 2)))


def spec_seed(draw, text, _):
    return pick(draw, r"(?<=seed: )\d+|(?<=(?:test|rain): )4\d\b", text, digit(draw))


def page_seed(draw, text, _):
    return pick(draw, r"(?<![\w.])(?:20251203|20251204|4[234])(?![\w.])", text, digit(draw))


def hover_seed(draw, text, _):
    return pick(draw, r"(?<=· seed )\d+", text, digit(draw))


def hover_rows(draw, text, _):
    sets = sorted(set(re.findall(r"(?<=· rows )[^·\"]* sha256:\w+", text)))
    return sets[1:] and pick(draw, r"(?<=· rows )[^·\"]* sha256:\w+", text,
                             lambda m: draw.choice([s for s in sets if s != m.group()]))


# Frozen values: key value ci_lo ci_hi se n kind rows tolerance oracle

def frozen(column, change, applies):
    def spoil(draw, text, numbers):
        lines = text.split("\n")
        rows = [i for i, line in enumerate(lines) if line.count("\t") >= 8 and not line.startswith(("#", "key\t"))
                and applies(line.split("\t"))]
        if not rows:
            return None
        at = draw.choice(rows)
        cells = lines[at].split("\t")
        cells[column(draw) if callable(column) else column] = change(draw, cells, lines)
        lines[at] = "\t".join(cells)
        return "\n".join(lines)
    return spoil


def is_number(cells):
    return re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", cells[1]) and cells[8] != "measured"


def moved(cells, column):
    step = float(cells[4] or 0) or abs(float(cells[1])) * 0.05 or 1.0
    return repr(float(cells[column]) + step)


frozen_number = frozen(1, lambda d, c, _: moved(c, 1), is_number)
frozen_interval = frozen(2, lambda d, c, _: moved(c, 2), lambda c: is_number(c) and c[2])
frozen_verdict = frozen(1, lambda d, c, _: d.choice([w for w in ("PASS", "PARTIAL", "FAIL", "INCONCLUSIVE", "NOT RUN")
                                                     if w != c[1]]), lambda c: c[0].startswith("verdict:"))
frozen_rows = frozen(7, lambda d, c, lines: d.choice(sorted(
    {x.split("\t")[7] for x in lines if x.count("\t") >= 8} - {c[7], "", "-", "rows"}) or ["another set"]),
    lambda c: is_number(c) and c[7] not in ("", "-"))


# Records: the bytes of the HDF5 file, sealed again

def sealed(payload, old):
    return payload + old[-SEAL:-71] + b"sha256:" + hashlib.sha256(payload).hexdigest().encode()


def record_double(field):
    def spoil(draw, data, numbers):
        keys = [k for k, x in numbers.items() if isinstance(x.get("value"), (int, float)) and x.get("ci")
                and x["kind"] not in ("seconds", "bytes")]
        if not keys:
            return None
        x = numbers[draw.choice(sorted(keys))]
        old = x["value"] if field == "value" else x["ci"][field == "ci_hi"]
        reach = x["se"] or 0.05 * abs(old) or 1.0
        new = old + draw.choice([reach, -reach]) * (0.2 if field == "value" else 1.0)
        payload = data[:-SEAL].replace(struct.pack("<d", old), struct.pack("<d", new))
        return sealed(payload, data)
    return spoil


def record_bytes(find, replace):
    """One of the places of a pattern gets what stands there replaced."""
    def spoil(draw, data, numbers):
        pair = find(draw, numbers)
        if not pair:
            return None
        old, new = pair
        places = [m.start() for m in re.finditer(re.escape(old), data[:-SEAL])]
        if not places:
            return None
        at = replace(draw, places)
        return sealed(data[:at] + new + data[at + len(old):-SEAL], data)
    return spoil


def a_seed(draw, numbers):
    seeds = sorted({x["seed"] for x in numbers.values() if x.get("seed")})
    old = draw.choice(seeds) if seeds else None
    return old and (struct.pack("<Q", old), struct.pack("<Q", int(other_digit(draw, str(old)))))


def a_rowset(draw, numbers):
    sets = sorted({x["rows"] for x in numbers.values() if isinstance(x.get("rows"), str) and x["rows"]})
    return tuple(s.encode() for s in draw.sample(sets, 2)) if sets[1:] else None


def a_verdict(draw, numbers):
    words = [x["value"] for x in numbers.values() if x["kind"] == "verdict" and x["value"] in ("PASS", "FAIL")]
    if not words:
        return None
    old, new = (b"PASS", b"FAIL") if draw.choice(sorted(words)) == "PASS" else (b"FAIL", b"PASS")
    return struct.pack("<Q", 4) + old, struct.pack("<Q", 4) + new


def record_rows(draw, data, numbers):
    """Two cells of one column of a table, as if the program had taken the wrong rows."""
    tables = sorted(k for k, x in numbers.items() if x["kind"] == "table" and len(x["rows"]) > 1)
    draw.shuffle(tables)
    for t in tables:
        columns = list(zip(*numbers[t]["rows"]))
        draw.shuffle(columns)
        for column in columns:
            keys = [c["key"].encode() for c in column if "key" in c]
            pairs = [(a, b) for i, a in enumerate(keys) for b in keys[i + 1:] if len(a) == len(b) and a != b]
            for a, b in draw.sample(pairs, len(pairs)):
                i, j = (data.rfind(struct.pack("<Q", len(k)) + k) for k in (a, b))
                if i > 0 and j > 0:
                    i, j = i + 8, j + 8
                    payload = bytearray(data[:-SEAL])
                    payload[i:i + len(a)], payload[j:j + len(b)] = b, a
                    return sealed(bytes(payload), data)
    return None


def other_figure(house, draw, experiment):
    names = sorted(n for n in os.listdir(house.path("figures"))
                   if n.startswith(experiment.partition("_")[0] + "_") and n.endswith(".svg"))
    if len(names) < 2:
        return None
    to, source = draw.sample(names, 2)
    with open(house.path("figures", source), "rb") as f:
        return house.path("figures", to), f.read()


MADE_FROM = ("lint", "verify", "fill")
KINDS = (  # kind, place, file, how, gates
    ("a number", "page", "reports/{e}.{l}.md", md_number, ("page",)),
    ("a number", "html", "reports/{e}.{l}.html", html_number, ("independent",)),
    ("a number", "link", "reports/{e}.{l}.html", html_linked, ("independent",)),
    ("a number", "record", "results/{e}.h5", record_double("value"), MADE_FROM),
    ("a number", "frozen", "frozen/{e}.tsv", frozen_number, MADE_FROM),
    ("a number typed", "template", "templates/experiments/{e}/report.{l}.md", typed, MADE_FROM),
    ("an interval", "page", "reports/{e}.{l}.md", md_interval, ("page",)),
    ("an interval", "html", "reports/{e}.{l}.html", html_interval, ("independent",)),
    ("an interval", "record", "results/{e}.h5", record_double("ci_lo"), MADE_FROM),
    ("an interval", "frozen", "frozen/{e}.tsv", frozen_interval, MADE_FROM),
    ("a verdict", "page", "reports/{e}.{l}.md", verdict, ("page",)),
    ("a verdict", "html", "reports/{e}.{l}.html", verdict, ("independent",)),
    ("a verdict", "record", "results/{e}.h5", record_bytes(a_verdict, random.Random.choice), MADE_FROM),
    ("a verdict", "frozen", "frozen/{e}.tsv", frozen_verdict, MADE_FROM),
    ("rows swapped", "page", "reports/{e}.{l}.md", md_rows, ("page",)),
    ("rows swapped", "html", "reports/{e}.{l}.html", html_rows, ("independent",)),
    ("rows swapped", "template", "templates/experiments/{e}/report.{l}.md", template_rows, MADE_FROM),
    ("rows swapped", "record", "results/{e}.h5", record_rows, MADE_FROM),
    ("dropped", "page", "reports/{e}.{l}.md", dropped_number, ("page",)),
    ("dropped", "html", "reports/{e}.{l}.html", dropped_link, ("independent",)),
    ("dropped", "template", "templates/experiments/{e}/report.{l}.md", dropped_tag, MADE_FROM),
    ("dropped block", "template", "templates/experiments/{e}/report.{l}.md", dropped_block, MADE_FROM),
    ("one language", "page", "reports/{e}.{l}.md", edited_word, ("page",)),
    ("one language", "line", "reports/{e}.{l}.md", edited_line, ("page",)),
    ("one language", "html", "reports/{e}.{l}.html", other_link, ("independent",)),
    ("one language", "key", "templates/experiments/{e}/report.{l}.md", other_key, MADE_FROM),
    ("one language", "claim", "templates/experiments/{e}/report.{l}.md", other_condition, MADE_FROM),
    ("one language", "heading", "templates/experiments/{e}/report.{l}.md", dropped_heading, MADE_FROM),
    ("a figure", "file", None, other_figure, MADE_FROM),
    ("a figure", "html", "reports/{e}.{l}.html", other_picture, ("independent",)),
    ("a figure", "spec", "templates/experiments/{e}/spec.yaml", spec_pictures, MADE_FROM),
    ("a seed", "spec", "templates/experiments/{e}/spec.yaml", spec_seed, MADE_FROM),
    ("a seed", "page", "reports/{e}.{l}.md", page_seed, ("page",)),
    ("a seed", "html", "reports/{e}.{l}.html", hover_seed, ("independent",)),
    ("a seed", "record", "results/{e}.h5", record_bytes(a_seed, random.Random.choice), MADE_FROM),
    ("a row set", "html", "reports/{e}.{l}.html", hover_rows, ("independent",)),
    ("a row set", "record", "results/{e}.h5", record_bytes(a_rowset, random.Random.choice), MADE_FROM),
    ("a row set", "frozen", "frozen/{e}.tsv", frozen_rows, MADE_FROM),
)


def spoil(house, draw, experiment, name, how):
    """Path, what stood there and what shall stand there; None if there is nothing of the kind."""
    if name is None:
        found = how(house, draw, experiment)
        if not found:
            return None
        path, new = found
        with open(path, "rb") as f:
            return path, f.read(), new
    path = house.path(name.format(e=experiment, l=draw.choice(("en", "zh"))))
    with open(path, "rb") as f:
        old = f.read()
    text = old if path.endswith(".h5") else old.decode("utf-8")
    new = how(draw, text, house.numbers(experiment))
    if not new or new == text:
        return None
    return path, old, new if isinstance(new, bytes) else new.encode("utf-8")


def first_difference(old, new):
    if b"\0" in old[:4096]:
        return "a record"
    at = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
    around = slice(max(0, at - 40), at + 60)
    return repr(old[around].decode("utf-8", "replace")) + " -> " + repr(new[around].decode("utf-8", "replace"))


def one_kind(house, draw, each, kind):
    """Spoil, ask, put back; returns made, caught by gate, and what got through."""
    what, place, name, how, gates = kind
    caught, through, made = collections.Counter(), [], 0
    for i in range(3 * each):
        if made == each:
            break
        experiment = house.experiments[i % len(house.experiments)]
        found = spoil(house, draw, experiment, name, how)
        if not found or found[1] == found[2]:
            continue
        path, old, new = found
        with open(path, "wb") as f:
            f.write(new)
        made += 1
        gate = next((g for g in gates if not house.passes(g, experiment)), None)
        if gate:
            caught[gate] += 1
        else:
            through.append(f"{what}, {place}, {os.path.basename(path)}: {first_difference(old, new)}")
        with open(path, "wb") as f:
            f.write(old)
    return made, caught, through


def main():
    parser = argparse.ArgumentParser(description="How much of what can go wrong do the gates catch?")
    parser.add_argument("--each", type=int, default=20, help="instances of each kind and place")
    parser.add_argument("--seed", type=int, default=20251203)
    parser.add_argument("--score", metavar="FILE", help="write the table there too")
    parser.add_argument("experiments", nargs="+", metavar="EXPERIMENT")
    arguments = parser.parse_args()
    total, good, lines, through = 0, 0, [], []
    with tempfile.TemporaryDirectory() as folder:
        house = House(os.path.join(folder), arguments.experiments)
        for experiment in house.experiments:
            for gate in ("lint", "verify", "fill", "page", "independent"):
                if not house.passes(gate, experiment):
                    print(f"mutate.py: {gate} does not pass {experiment} as it is", file=sys.stderr)
                    return 2
        for kind in KINDS:
            draw = random.Random(f"{arguments.seed} {kind[0]} {kind[1]}")
            made, caught, escaped = one_kind(house, draw, arguments.each, kind)
            by = ", ".join(f"{gate} {n}" for gate, n in caught.most_common())
            lines.append(f"{kind[0]:16} {kind[1]:10} {made:5} {sum(caught.values()):6}  {by}")
            print(lines[-1], flush=True)
            total, good, through = total + made, good + sum(caught.values()), through + escaped
    for line in through:
        print("got through: " + line)
    if total == 0:
        print("mutate.py: nothing could be spoilt", file=sys.stderr)
        return 2
    lines.append(f"{'all':16} {'':10} {total:5} {good:6}  {100.0 * good / total:.1f} %")
    print(lines[-1])
    if arguments.score:
        with open(arguments.score + ".part", "w", encoding="utf-8") as f:
            f.write(f"{'kind':16} {'place':10} {'made':>5} {'caught':>6}  by\n" + "\n".join(lines) + "\n")
        os.replace(arguments.score + ".part", arguments.score)
    return 0 if good >= ENOUGH * total else 1


if __name__ == "__main__":
    sys.exit(main())
