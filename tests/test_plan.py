"""Each hypothesis and experiment that the plan names is asked in hypotheses.yml."""

import json
import re

import pytest

from mazelib.evidence.hypotheses import KINDS, hypotheses
from mazelib.files import ROOT

NAMED = {
    "lattice-adjacency heads": "There may exist in a trained model an attention head",
    "adjacency circuit": "find instances of (i,j) in the adjacency list",
    "two attention layers": "requires at least 2 attention layers",
    "bottlenecks": 'serve as "bottlenecks" may receive more weight',
    "targets": "represent targets in some layers explicitly",
    "discarding dead-ends": "dead ends may also be discarded",
    "back-filling": 'seems to solve acyclic mazes via "back-filling."',
    "exploring parallel paths": "construct multiple possible paths in parallel",
    "discarding paths": "a step of discarding paths on the fly",
    "precognition about future paths": "some representation of future states",
    "multiple steps at once": "fewer than N layers must consider multiple steps",
    "corridors as a step": "all steps between two forks as a single step",
    "proximity in the embedding": "encode spatial proximity in its embedding space",
    "corridors stored": "store long corridors as spatial primitives",
    "jumping over walls": "examples of models jumping over walls",
    "stop once found": 'every layer to have a "stop once found" head',
    "path lengths": "keep track of path lengths and trajectories",
    "read off late": "In the last one or two layers",
    "memorized patterns": "memorize the solutions to some patterns",
    "solved perfectly": "fraction of mazes of a given size",
    "overlap": "fraction of nodes overlapping",
    "forks": "fraction of correct decisions at forking points",
    "constraints early": "jumps around the maze in an impossible way",
    "constraints": "not backtracking, and reaching the target",
    "constraints under shift": "distributional shifts can cause a model to ignore",
    "robust if it searches": "more robust to distributional shift",
    "size": "trained exclusively on mazes of size",
    "complexity": '"Baseline Solver," which obeys adjacency',
    "specific to its mazes": "specific to the structure of RDFS",
    "cyclic mazes": "shortest path in cyclic mazes",
    "open field": "open field (maze environment without walls)",
    "pairs of tokens": "represented as a pair of tokens",
    "list of walls": "a model trained on the dual problem",
    "object in an open field": "a single object obstructing part of the path",
    "direct logit attribution": "Using direct logit attribution",
    "circuits": "circuits-level understanding",
    "path-patching": "at some point, path-patching",
    "weight matrices": "weight matrices (OV, QK, MLP)",
    "singular value decomposition": "singular vectors with embedded tokens",
    "distances between sets": "distances between sets of tokens",
    "geometry of probes": "geometry of probes",
    "clustering of tokens": "clustered together at some point",
    "probing for future states": "this linear probe is effective",
    "goal retargeting": "facilitate goal retargeting",
    "misgeneralization": "retargetability and misgeneralization",
    "memorizes every maze": "memorizes every maze",
    "emergent world model": "emergent world model",
    "search over heuristics": "do so over heuristics",
    "no systematic search": "not learn any systematic search",
    "search": "acquired the ability to perform search",
}
"""What the plan names, and its words."""


@pytest.mark.parametrize("name", NAMED)
def test_what_the_plan_names_is_asked(name):
    said = [re.sub(r"\s+", " ", each.says) for each in hypotheses().values()]
    assert any(NAMED[name] in words for words in said)


def test_the_last_chapter_shows_every_hypothesis():
    chapter = json.loads((ROOT / "book" / "18_verdicts.ipynb").read_text("utf-8"))
    cells = [c for c in chapter["cells"] if c["cell_type"] == "code"]
    code = "\n".join("".join(cell["source"]) for cell in cells)
    assert set(re.findall(r'evidence\.ledger\("(\w+)"\)', code)) == {*KINDS}


def test_what_is_not_recorded_says_what_it_waits_for():
    from mazelib.evidence.records import verdict

    for id, stated in hypotheses().items():
        assert (verdict(id) == "open") == bool(stated.waits), id
