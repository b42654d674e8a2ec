#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""usage: metadata.py DIST LOGGBOOK

numbers.json against what LOGGBOOK prints of each record, and ro-crate-metadata.json against what RO-Crate 1.1 and the
profile Workflow Run ask of it. Exit 0, or 1 with a traceback that names the fault.
"""
import hashlib
import json
import pathlib
import subprocess
import sys

dist, loggbook = pathlib.Path(sys.argv[1]), sys.argv[2]

numbers = {}
for record in sorted((dist / "records").iterdir()):
    one = subprocess.run([loggbook, "numbers", "--profile", "quick", "--results", str(dist / "records"), record.stem],
                         capture_output=True, check=True)
    numbers[record.stem] = json.loads(one.stdout)
assert json.loads((dist / "numbers.json").read_text()) == numbers and sum(map(len, numbers.values())) > 1000

crate = json.loads((dist / "ro-crate-metadata.json").read_text())
assert crate["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
graph = {e["@id"]: e for e in crate["@graph"]}
assert len(graph) == len(crate["@graph"]), "an @id stands twice"


def ids(value):
    return [v["@id"] for v in (value if isinstance(value, list) else [value])]


about = graph["ro-crate-metadata.json"]
assert about["about"]["@id"] == "./" and "https://w3id.org/ro/crate/1.1" in ids(about["conformsTo"])
root = graph["./"]
for wanted in ("name", "description", "datePublished", "license"):
    assert root[wanted], wanted
assert {"https://w3id.org/ro/wfrun/process/0.5", "https://w3id.org/ro/wfrun/workflow/0.5",
        "https://w3id.org/workflowhub/workflow-ro-crate/1.0"} <= set(ids(root["conformsTo"]))
files = {str(p.relative_to(dist)) for p in dist.rglob("*") if p.is_file()}
assert set(ids(root["hasPart"])) == files - {"ro-crate-metadata.json", "MANIFEST.sha256"}
for name in ids(root["hasPart"]):
    data = (dist / name).read_bytes()
    assert graph[name]["sha256"] == hashlib.sha256(data).hexdigest() and graph[name]["contentSize"] == len(data), name
workflow = graph[root["mainEntity"]["@id"]]
assert {"File", "SoftwareSourceCode", "ComputationalWorkflow"} == set(workflow["@type"])
assert graph[workflow["programmingLanguage"]["@id"]]["@type"] == "ComputerLanguage"
actions = [graph[i] for i in ids(root["mentions"])]
assert any(a["instrument"]["@id"] == workflow["@id"] for a in actions), "no run of the workflow"
assert len(actions) == 1 + len(list((dist / "records").iterdir()))
for action in actions:
    assert action["@type"] == "CreateAction" and action["instrument"]["@id"] in graph
    assert all(i in graph for i in ids(action["object"]) + ids(action["result"])), action["@id"]
