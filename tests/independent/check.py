#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is every number on the published pages backed?

usage: check.py --numbers DIR --published FILE PAGE.html...

Reads finished HTML pages (NAME.en.html), what `loggbook numbers ID --json` exported for each
experiment (DIR/ID.json) and the table of published values. Shares no code with the package. Every
number of a page is looked for and must be one of

  linked     leads to a key: the digits are a rounding of that key's value, interval, ...; what is
             said on hover (interval, rows, hash, seed, oracle) agrees; an oracle number is marked
  setting    shown as a setting of spec.yaml, with its value there
  published  shown as published, with the digits of the table of published values
  record     in a table of the record, its cells in order, or in the table of provenance
  quoted     a value behind a verdict, a claim or a rule ("key = value")
  declared   a word or number that a text of the record or of the spec holds just so
  formula    in a formula: a single digit, or a rounding of a recorded number or of a setting
  counter    the number of a section, or part of a name (E02, H1.2)

  history    in a row of a log, which begins with a date (documents above the reports)

and every picture must be the one the run drew, where the record knows it. A page that is no report, like hub.en.html,
is held against all exports at once. Code blocks quote source
and are not read. English and Chinese must show the same linked numbers, in tables row by row. What is not backed is told
as "page: 'number' ...: why, where". Exit status 0 all backed, 1 not, 2 could not look.
"""
import argparse
import base64
import collections
import hashlib
import json
import os
import re
import sys
from html.parser import HTMLParser

NUMBER = re.compile(r"[+\-−]?\d[\d,]*(?:\.\d+)?(?:[eE][+\-−]?\d+)?")
WORD = re.compile(r"[^\W\d][\w.\-]*|[+\-−]?\d[\w.,\-]*%?", re.ASCII)
DATE = r"\d{4}-\d\d-\d\d"
FIELDS = ("value", "ci_lo", "ci_hi", "se", "n", "p_above", "boot_mean", "p_positive")
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}
ORACLE = "†"


# --- a page as a tree ----------------------------------------------------------------------------

class Node:
    def __init__(self, tag, attributes=(), parent=None):
        self.tag, self.parent, self.children = tag, parent, []
        self.attributes = {k: v or "" for k, v in attributes}

    def get(self, name):
        return self.attributes.get(name, "")

    def has_class(self, name):
        return name in self.get("class").split()

    def up(self, test):
        node = self
        while node and not test(node):
            node = node.parent
        return node

    def find(self, test):
        for child in self.children:
            if isinstance(child, Node):
                if test(child):
                    yield child
                yield from child.find(test)

    def text(self):
        return "".join(c if isinstance(c, str) else c.text() for c in self.children)


class Tree(HTMLParser):
    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.root = self.here = Node("page")
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        node = Node(tag, attributes, self.here)
        self.here.children.append(node)
        if tag not in VOID:
            self.here = node

    def handle_startendtag(self, tag, attributes):
        self.here.children.append(Node(tag, attributes, self.here))

    def handle_endtag(self, tag):
        node = self.here.up(lambda n: n.tag == tag)
        if node and node.parent:
            self.here = node.parent

    def handle_data(self, data):
        if self.here.children and isinstance(self.here.children[-1], str):
            self.here.children[-1] += data
        else:
            self.here.children.append(data)


def rows_of(table):
    """The rows of a table, each a list of cells."""
    rows = table.find(lambda n: n.tag == "tr")
    return [[c for c in r.children if isinstance(c, Node) and c.tag in ("td", "th")] for r in rows]


# --- numbers as they are printed -----------------------------------------------------------------

def plain(s):
    return s.replace("−", "-").replace(",", "")


def without_reason(shown):
    """What is missing is missing in both languages, whatever the words for why."""
    return "n/a" if shown.startswith("n/a") else shown


def is_rounding(shown, value, slack=0.5):
    """Is the printed number a rounding of value, to the last digit it shows?"""
    if value is None or isinstance(value, (str, bool)):
        return False
    s = plain(shown)
    mantissa, _, exponent = s.lower().partition("e")
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    return abs(float(s) - value) <= slack * 10.0 ** -decimals * (1 + 1e-6) + 1e-14 * abs(value)


def is_general(shown, value, digits):
    """Is it what %.<digits>g prints of value?"""
    if value is None or isinstance(value, (str, bool)):
        return False
    return float(plain(shown)) == float("%.*g" % (digits, value))


def same_text(a, b):
    """Two texts that differ by typography at most."""
    def bare(s):
        return re.sub(r"[\s\\*_`'\"“”‘’]|\.\.\.|…|-|–|—|−", "", s)
    return bare(a) == bare(b)


# --- what was exported ---------------------------------------------------------------------------

class Backing:
    """All exports and the published values."""

    def __init__(self, folder, published):
        self.exports, self.published, self.words = {}, {}, {}
        for name in sorted(os.listdir(folder)):
            if name.endswith(".json"):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    self.exports[name[:-5]] = json.load(f)
        with open(published, encoding="utf-8") as f:
            lines = [line.rstrip("\n").split("\t") for line in f]
        for line in lines[1:]:
            self.published[line[0]] = dict(zip(lines[0], line))
        if not self.exports or not self.published:
            raise ValueError(f"no exports in {folder}, or nothing in {published}")

    def number(self, name):
        """The entry of a key, and the field if the name ends in one."""
        export = self.exports.get(name.partition(".")[0], {})
        if name in export:
            return export[name], None
        key, _, field = name.rpartition(".")
        return (export.get(key), field) if field in FIELDS else (None, None)

    def of(self, experiment):
        """The exports a page is made from: that of its experiment; all of them ("") for a document above the reports."""
        return [self.exports[experiment]] if experiment else list(self.exports.values())

    def values(self, experiment):
        """Everything numeric of an experiment: numbers and settings."""
        for entry in (e for export in self.of(experiment) for e in export.values()):
            if entry["kind"] == "setting":
                try:
                    yield float(entry["value"])
                except ValueError:
                    pass
            elif isinstance(entry.get("value"), (int, float)):
                yield from (v for v in (part(entry, f) for f in FIELDS) if v is not None)

    def declared(self, experiment):
        """Words with digits that some text of the experiment holds, or a title of another one."""
        if experiment not in self.words:
            texts = [k for export in self.of(experiment) for k in export]
            for name, export in self.exports.items():
                texts += [export[k]["value"] for k in export if k.startswith("spec.title")]
            if not experiment:
                texts += [v for entry in self.published.values() for v in entry.values()]
            for entry in (e for export in self.of(experiment) for e in export.values()):
                texts += [str(v) for v in (entry.get("value"), entry.get("na"), entry.get("rule"))
                          if isinstance(v, str)]
                texts += [column["name"] for column in entry.get("columns", [])]
                texts += [c["text"] for row in entry.get("rows", []) if isinstance(row, list)
                          for c in row if "text" in c]
            if not experiment:
                verdicts = [e["value"] for export in self.exports.values() for k, e in export.items()
                            if k.startswith("verdict:")]
                texts += [str(verdicts.count(v)) for v in set(verdicts)] + [str(len(verdicts))]
                texts += [str(e["n"]) for export in self.exports.values() for e in export.values() if "n" in e]
            # A page names the commit and, by the start of their hashes, the inputs of every record it quotes.
            origins = {(k, entry["value"]) for export in self.exports.values() for k, entry in export.items()
                       if entry["kind"] == "provenance"}
            words = {v[7:19] for _, v in origins if v.startswith("sha256:")}
            words |= {v for k, v in origins if k == "provenance:git.commit"}
            for text in texts:
                words.update(plain(w) for w in re.findall(r"[\w.,+\-−%]*\d[\w.,\-%]*", text))
                words.update(plain(w) for w in NUMBER.findall(text))
            self.words[experiment] = {w.rstrip(".,-") for w in words}
        return self.words[experiment]


def part(entry, field):
    if field in ("ci_lo", "ci_hi"):
        return entry["ci"][field == "ci_hi"] if entry.get("ci") else None
    return entry.get(field or "value")


# --- one page ------------------------------------------------------------------------------------

class Page:
    def __init__(self, path, backing):
        self.path, self.backing = path, backing
        self.name = os.path.basename(path)
        self.experiment = self.name.partition("_")[0]
        self.is_report = re.match(r"e\d\d_", self.name) is not None
        if not self.is_report:
            self.experiment = ""
        elif self.experiment not in backing.exports:
            raise ValueError(f"{path}: no export {self.experiment}.json beside the others")
        self.export = backing.exports.get(self.experiment, {})
        with open(path, encoding="utf-8") as f:
            self.root = Tree(f.read()).root
        self.faults, self.counts = [], collections.Counter()
        self.linked, self.tables = collections.Counter(), []  # and the links of each row
        self.provenance = {}

    def fault(self, shown, why, node):
        block = node.up(lambda n: n.tag in ("p", "td", "th", "li", "figcaption", "h1", "h2", "h3",
                                            "h4", "pre", "figure")) or node
        block = block.parent if block.tag in ("td", "th") and block.parent else block
        where = " ".join(block.text().split())
        at = max(0, where.find(shown) - 60)
        self.faults.append(f"{self.name}: '{shown}' {why}: \"{where[at:at + 140]}\"")

    def count(self, kind, shown):
        self.counts[kind] += max(1, len(NUMBER.findall(shown)))

    def check(self):
        for table in self.root.find(lambda n: n.tag == "figure" and n.get("id").startswith("tbl:")):
            self.check_record_table(table)
        self.check_sections()
        for table in self.root.find(lambda n: n.tag == "table"):
            self.tables += [sorted((a.get("title").split(" · ")[0], without_reason(a.text())) for c in cells
                                   for a in c.find(lambda n: n.has_class("num")))
                            for cells in rows_of(table)]
            self.check_provenance(table)
            self.check_published_rows(table)
            self.check_verdict_rows(table)
        for figure in self.root.find(lambda n: n.tag == "figure" and n.get("id").startswith("fig:")):
            self.check_picture(figure)
        self.walk(self.root)
        return self

    # -- by kind of place --

    def walk(self, node):
        for child in node.children:
            if isinstance(child, str):
                self.check_text(child, node)
            elif child.tag in ("style", "pre") or (child.tag == "head"):
                continue
            elif child.tag == "a" and child.has_class("num"):
                self.check_link(child)
            elif child.tag == "math":
                self.check_formula(child)
            elif child.tag == "code":
                self.check_code(child.text(), child)
            elif child.has_class("setting"):
                self.check_setting(child)
            elif child.has_class("published"):
                self.check_published(child)
            elif getattr(child, "done", False):
                continue  # a cell that was compared as a whole
            else:
                if child.has_class("verdict"):
                    self.check_verdict(child)
                elif child.has_class("claim"):
                    self.check_pairs(child.get("title"), child)
                self.walk(child)

    def check_link(self, a):
        name, *said = a.get("title").split(" · ")
        shown = a.text()
        entry, field = self.backing.number(name)
        if not entry:
            return self.fault(shown, f"leads to '{name}', which no record holds", a)
        key = name[:-len(field) - 1] if field else name
        if a.get("href") != "#n-" + key.replace(".", "-"):
            return self.fault(shown, f"is of {key} but leads to {a.get('href')}", a)
        self.linked[name, without_reason(shown)] += 1
        self.count("linked", shown)
        bare = shown.replace(ORACLE, "").strip()
        if not field:  # what is said on hover is of the number, whichever of its fields is shown
            field = next((f for f in (None,) + FIELDS if self.agrees(bare, entry, f)), None)
        if not self.agrees(bare, entry, field):
            self.fault(shown, f"is not {name} = {part(entry, field)}, {entry.get('ci')}", a)
        if (ORACLE in shown) != (bool(entry.get("oracle")) and not entry.get("na") and field != "n"):
            self.fault(shown, f"and the mark {ORACLE} disagree about {key}", a)
        self.check_said(said, entry, a)

    def agrees(self, shown, entry, field):
        if entry.get("na") and field != "n":
            return shown == entry["na"] or self.name.endswith(".zh.html") and re.fullmatch("n/a（.+）", shown)
        numbers = NUMBER.findall(shown)
        scale = 100.0 if re.search(r"\d%$", shown) and entry.get("unit") != "%" else 1.0
        def fits(s, value):
            return value is not None and is_rounding(s, value * scale)
        if len(numbers) == 2 and shown.startswith("["):
            return bool(entry.get("ci")) and fits(numbers[0], entry["ci"][0]) \
                and fits(numbers[1], entry["ci"][1])
        if len(numbers) == 2 and "±" in shown:
            return fits(numbers[0], entry["value"]) and fits(numbers[1].lstrip("+"), entry["se"])
        return len(numbers) == 1 and fits(numbers[0], part(entry, field))

    def check_said(self, said, entry, node):
        """What a number tells on hover."""
        for word in said:
            if word.startswith("n ") and word[2:].isdigit():
                good = int(word[2:]) == entry["n"]
            elif word.startswith("seed "):
                good = int(word[5:]) == entry["seed"]
            elif word.startswith("rows "):
                name, _, digest = word[5:].rpartition(" ")
                good = bool(digest) and entry["rows"].startswith(digest) and name == entry["rowset"]
            elif "CI [" in word:
                good = self.agrees(word[word.index("["):], entry, None)
            elif word == "oracle":
                good = bool(entry["oracle"])
            else:
                good = word == entry["protocol"]
            if not good:
                self.fault(word, "is said of a number whose record says otherwise", node)

    def check_setting(self, span):
        shown, path = span.text(), span.get("title")
        self.count("setting", shown)
        values = self.settings(path, self.experiment)
        numbers = NUMBER.findall(shown)
        if not values or len(numbers) != 1:
            return self.fault(shown, f"is no setting {path}", span)
        scale = 100.0 if shown.endswith("%") else 1.0
        if not any(is_rounding(numbers[0], float(v) * scale) for v in values):
            self.fault(shown, f"is not {path} = {', '.join(values)}", span)

    def settings(self, path, experiment):
        """What the spec of the experiment says there; each spec, on a page of no experiment."""
        return [export[path]["value"] for export in self.backing.of(experiment) if path in export]

    def check_published(self, span):
        key = span.get("title").removeprefix("published: ").partition(" · ")[0]
        self.count("published", span.text())
        entry = self.backing.published.get(key)
        interval = entry and f"[{entry['ci_low']}, {entry['ci_high']}]"
        if not entry or plain(span.text()) not in (plain(entry["value"]), plain(interval)):
            self.fault(span.text(), f"is not what was published under {key}", span)

    def check_verdict(self, span):
        identifier, *_ = span.get("title").split(" · ")
        experiment, _, own = identifier.rpartition(":")
        experiment = experiment or self.experiment
        word = re.match(r"NOT RUN|[A-Z]+", span.text())
        entries = [export["verdict:" + own] for export in self.backing.of(experiment) if "verdict:" + own in export]
        # a document quotes sentences of reports, which name their own verdicts without the experiment
        entry = next((e for e in entries if word and e["value"] == word.group()), entries[0] if entries else None)
        if not entry or not word or word.group() != entry["value"]:
            found = entry["value"] if entry else "no verdict at all"
            self.fault(span.text(), f"is not the verdict of {identifier}, which is {found}", span)
        self.check_pairs(span.get("title"), span, experiment)

    def check_pairs(self, text, node, experiment=None):
        """Each "key = value" of a text; returns what is left of it."""
        left, at = "", 0
        for m in re.finditer(r"\b((?:e\d\d|spec)\.[\w.\-]+) = (-?[\d.]+(?:e[+-]?\d+)?)", text):
            entry, field = self.backing.number(m.group(1))
            values = [part(entry, field)] if entry else []
            if m.group(1).startswith("spec."):
                values = self.settings(m.group(1), experiment or self.experiment)
            values = [float(v) if isinstance(v, str) and NUMBER.fullmatch(v) else v for v in values]
            self.count("quoted", m.group(2))
            if not any(is_general(m.group(2), v, 6) for v in values):
                self.fault(m.group(2), f"is quoted for {m.group(1)} = {', '.join(map(str, values))}", node)
            left, at = left + text[at:m.start()], m.end()
        return left + text[at:]

    def check_code(self, text, node):
        text = self.check_pairs(text, node)
        for word in WORD.findall(text if self.is_report else self.without_history(text, node)):
            self.check_word(word, node)

    def check_formula(self, math):
        for shown in NUMBER.findall(math.text()):
            s = shown.lstrip("+-−")
            self.count("formula", s)
            if len(s) > 1 and not any(is_rounding(s, abs(v) * k) for k in (1.0, 100.0)
                                      for v in self.backing.values(self.experiment)):
                self.fault(shown, "in a formula is a rounding of nothing recorded", math)

    def check_text(self, text, node):
        block = node.up(lambda n: n.tag in ("h1", "h2", "h3", "h4", "nav"))
        if block and re.match(r"\s*\d+(\.\d+)*\s", text):
            self.counts["counter"] += 1
            text = re.sub(r"^\s*\d+(\.\d+)*", "", text)
        if not self.is_report:
            text = self.without_history(text, node)
        for word in WORD.findall(text):
            self.check_word(word, node)

    def without_history(self, text, node):
        """Logs of a document, rows that begin with a date, say what was; dates and the hash of the protocol are
        exported by nobody."""
        row = node.up(lambda n: n.tag == "tr")
        first = next(iter(row.find(lambda n: n.tag == "td")), None) if row else None
        if first and re.fullmatch(DATE, first.text().strip()) and node.up(lambda n: n.tag == "td"):
            self.counts["history"] += len(NUMBER.findall(text))
            return ""
        return re.sub(DATE + r"|sha256:[0-9a-f]{12}", "", text)

    def check_sections(self):
        """Each numbered heading follows the one before: 2 after 1.3, 2.1 after 2."""
        before = ()
        for heading in self.root.find(lambda n: n.tag in ("h2", "h3", "h4")):
            m = re.match(r"\s*(\d+(?:\.\d+)*)\s", heading.text())
            if not m:
                continue
            now = tuple(int(x) for x in m[1].split("."))
            nexts = {before + (1,)} | ({(0,)} if not before else set()) | {before[:i] + (before[i] + 1,) for i in range(len(before))}
            if now not in nexts:
                self.fault(m[1], f"does not follow section {'.'.join(map(str, before))}", heading)
            before = now

    def check_word(self, word, node):
        if not re.search(r"\d", word):
            return
        word = plain(word).rstrip(".-")
        if word[0].isalpha() or word[0] == "_":
            known = self.backing.declared(self.experiment)
            named = word in known or word.partition(".")[0] in known or "." not in word \
                or re.fullmatch(r"[A-Z]+-?\d+(\.\d+)*", word) or word.startswith("sha256")
            self.counts["counter"] += 1
            if not named:
                self.fault(word, "is no name that is declared", node)
            return
        self.counts["declared"] += 1
        known = self.backing.declared(self.experiment)
        if not any(w in known for w in (word, word.lstrip("+-"), word.rstrip("%"),
                                        word.lstrip("+-").rstrip("%"))):
            self.fault(word, "is not backed", node)

    # -- tables --

    def check_record_table(self, figure):
        identifier = figure.get("id")[len("tbl:"):]
        entry = self.export.get("table:" + identifier)
        table = next(figure.find(lambda n: n.tag == "table"), None)
        if not entry or not table:
            return self.fault(identifier, "is no table of the record", figure)
        rows = rows_of(table)[1:]
        if len(rows) != len(entry["rows"]):
            return self.fault(identifier, f"has {len(rows)} rows, not {len(entry['rows'])}", figure)
        short = set()
        for cells, wanted in zip(rows, entry["rows"]):
            for td, cell in zip(cells, wanted):
                if td.text().strip() == "n/a" and "key" in cell:
                    short.add((self.backing.number(cell["key"])[0] or {}).get("na"))
                    td.done = True
                else:
                    self.check_record_cell(identifier, td, cell)
        if short:
            self.check_reason(identifier, figure, short)

    def check_reason(self, identifier, figure, short):
        """Cells that only say "n/a" lack their value for one reason, which stands under the table."""
        around = [n for n in figure.parent.children if isinstance(n, Node)]
        notes = around[around.index(figure) + 1:][:2]  # the other explains the mark of an oracle
        below = next((n for n in notes if n.text().startswith("n/a")), None)
        said = re.fullmatch(r"n/a(?:: |：)(.+)[.。]", below.text().strip() if below else "")
        reason = re.fullmatch(r"n/a \((.+)\)", short.pop() or "")
        if short or not said or not reason:
            self.fault("n/a", f"in table {identifier} has no one reason under the table", figure)
        elif self.name.endswith(".en.html") and said[1] != reason[1]:
            self.fault(said[1], f"is not why table {identifier} says n/a: {reason[1]}", below)

    def check_record_cell(self, identifier, td, cell):
        link = next(td.find(lambda n: n.tag == "a" and n.has_class("num")), None)
        if "text" in cell:
            good = not link and same_text(td.text(), cell["text"])
            td.done = True
            self.counts["record"] += len(NUMBER.findall(td.text()))
        elif link:
            entry, field = self.backing.number(cell["key"])
            key = cell["key"][:-len(field) - 1] if field else cell["key"]
            good = entry and link.get("title").split(" · ")[0] in (key, cell["key"]) \
                and (not field or self.agrees(link.text().replace(ORACLE, "").strip(), entry, field))
        else:
            entry, _ = self.backing.number(cell["key"])
            good = entry and (entry["kind"] == "text" and same_text(td.text(), entry["value"])
                              or td.text().strip() == "—")
            td.done = True
        if not good:
            self.fault(td.text().strip(), f"is not what table {identifier} of the record holds here, "
                       f"{cell.get('key', cell.get('text'))}", td)

    def check_provenance(self, table):
        """The appendix: key, value, interval, n, rows, seed, frozen value."""
        for cells in rows_of(table):
            mark = next(cells[0].find(lambda n: n.get("id").startswith("n-")), None) if cells else None
            if not mark or len(cells) != 7:
                continue
            key, value, interval, n, rows, seed, frozen = (c.text().strip() for c in cells)
            entry, _ = self.backing.number(key)
            for cell in cells:
                cell.done = True
            if not entry:
                self.fault(key, "is the key of no record", cells[0])
                continue
            self.count("record", value + interval)
            self.provenance[key] = (value, interval, n, seed, frozen)
            value, interval = value.replace(ORACLE, ""), interval.replace(ORACLE, "")
            ends = NUMBER.findall(interval)
            good = {
                value: value == entry["na"] if entry["na"] else is_general(value, entry["value"], 10),
                interval: not interval and not entry["ci"] or len(ends) == 2 and entry["ci"]
                and all(is_general(s, v, 6) for s, v in zip(ends, entry["ci"])),
                n: int(n or 0) == entry["n"],
                rows: entry["rows"].startswith(rows.rpartition(" ")[2]) if rows else not entry["rows"],
                seed: int(seed or 0) == entry["seed"],
            }
            # the frozen value is that of `make verify`, which knows its tolerance
            if frozen and entry["value"] is not None:
                loose = 1e-3 if entry["kind"] == "condition" else 1e-6  # of a singular matrix: mostly rounding
                reach = max(loose * abs(entry["value"]), entry["se"] or 0.0, 1e-9)
                if entry["kind"] not in ("seconds", "bytes"):
                    good[frozen] = abs(float(frozen) - entry["value"]) <= reach
            for shown, fine in good.items():
                if not fine:
                    self.fault(shown, f"is not what the record says of {key}", cells[0])

    def check_published_rows(self, table):
        """Published there, found here: eight columns, the first one a key of ours."""
        theirs = {}  # of each of our keys, in the order of the rows
        pairs = [path for path in self.export if re.fullmatch(r"spec\.published\.\d+\.ours", path)]
        for path in sorted(pairs, key=lambda path: int(path.split(".")[2])):
            ours = self.export[path]
            there = self.export.get(path[:-len("ours")] + "theirs", ours)
            theirs.setdefault(ours["value"], []).append(there["value"])
        for cells in rows_of(table):
            if len(cells) != 8 or cells[0].text().strip() not in theirs:
                continue
            keys = theirs[cells[0].text().strip()]
            entry = self.backing.published.get(keys.pop(0) if keys else "", {})
            shown = cells[1].text().strip()
            self.count("published", shown)
            if plain(shown) != plain(entry.get("value", "?")):
                self.fault(shown, f"was not published; it says {entry.get('value')}", cells[1])
            low = [plain(s) for s in NUMBER.findall(cells[2].text())]
            want = [entry.get("ci_low"), entry.get("ci_high")]
            want = want if all(want) else []  # half an interval is not printed
            if [float(s) for s in low] != [float(s) for s in want]:
                self.fault(cells[2].text(), f"is not the published interval {want}", cells[2])
            if not same_text(cells[7].text(), entry.get("source", "?")):
                self.fault(cells[7].text(), "is not the source of that value", cells[7])
            link = next(cells[3].find(lambda n: n.has_class("num")), None)
            if link and link.get("title").split(" · ")[0] != cells[0].text().strip():
                self.fault(link.text(), "stands in the row of another key", cells[3])
            for i in (0, 1, 2, 7):
                cells[i].done = True

    def check_verdict_rows(self, table):
        """A row that begins with the id of a hypothesis shows the verdict of that one."""
        for cells in rows_of(table):
            first = cells[0].text().strip() if cells else ""
            if "verdict:" + first not in self.export:
                continue
            for cell in cells[1:]:
                for span in cell.find(lambda n: n.has_class("verdict")):
                    if span.get("title").split(" · ")[0] != first:
                        self.fault(span.text(), f"stands in the row of {first}", cell)
                link = next(cell.find(lambda n: n.has_class("num")), None)
                metric = self.export["verdict:" + first]["metric"]
                if link and len(cells) == 6 and link.get("title").split(" · ")[0] != metric:
                    self.fault(link.text(), f"stands in the row of {first}, judged on {metric}", cell)

    def check_picture(self, figure):
        identifier = figure.get("id")[len("fig:"):]
        entry = self.export.get("figure:" + identifier)
        image = next(figure.find(lambda n: n.tag == "img"), None)
        if not entry or not image:
            return self.fault(identifier, "is no figure of the record", figure)
        head, _, data = image.get("src").partition(";base64,")
        drawn = "sha256:" + hashlib.sha256(base64.b64decode(data)).hexdigest() if data else ""
        self.counts["pictures"] += 1
        if entry["sha256"] and drawn != entry["sha256"]:
            self.fault(identifier, "is not the picture that the run drew", figure)


# --- all pages -----------------------------------------------------------------------------------

def compare_languages(pages):
    """The same linked numbers in both languages of a report."""
    by_name = {p.name: p for p in pages}
    for name, english in sorted(by_name.items()):
        chinese = by_name.get(name.replace(".en.html", ".zh.html"))
        if not name.endswith(".en.html") or not chinese:
            continue
        for one, other in ((english, chinese), (chinese, english)):
            for (key, shown), n in sorted((one.linked - other.linked).items()):
                one.faults.append(f"{one.name}: '{shown}' of {key} is there {n} times more than in "
                                  f"{other.name}")
        for key in english.provenance.keys() & chinese.provenance.keys():
            if english.provenance[key] != chinese.provenance[key]:
                chinese.faults.append(f"{chinese.name}: '{chinese.provenance[key]}' is the provenance "
                                      f"of {key}, but in {english.name} it is {english.provenance[key]}")
        for ours, theirs in zip(english.tables, chinese.tables):
            if ours != theirs:
                key, shown = next((x for x in theirs if x not in ours), (theirs or ours)[0])
                chinese.faults.append(f"{chinese.name}: '{shown}' of {key} stands in a row that "
                                      f"{english.name} has otherwise")
                break


def main():
    parser = argparse.ArgumentParser(description="Is every number on the published pages backed?")
    parser.add_argument("--numbers", required=True, metavar="DIR", help="exports, one ID.json each")
    parser.add_argument("--published", required=True, metavar="FILE", help="published.tsv")
    parser.add_argument("pages", nargs="+", metavar="PAGE.html")
    arguments = parser.parse_args()
    try:
        backing = Backing(arguments.numbers, arguments.published)
        pages = [Page(path, backing).check() for path in arguments.pages]
    except (OSError, ValueError, KeyError) as e:
        print(f"check.py: {e}", file=sys.stderr)
        return 2
    compare_languages(pages)
    counts = sum((p.counts for p in pages), collections.Counter())
    faults = [f for p in pages for f in p.faults]
    for fault in faults:
        print(fault)
    kinds = ", ".join(f"{n} {kind}" for kind, n in counts.most_common())
    print(f"{len(pages)} pages, {sum(counts.values())} numbers: {kinds}; {len(faults)} not backed")
    if not counts["linked"]:
        print("check.py: no page shows a linked number: nothing was checked", file=sys.stderr)
        return 2
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
