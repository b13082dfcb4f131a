"""Each variant is trained from each seed, and a table has its validations."""

import json
from dataclasses import replace

import pytest

from experiments import ablations
from mazelib.dataset.stream import MazeStream
from mazelib.tokens.tokenizer import SCHEMES


@pytest.fixture
def short(tmp_path, monkeypatch):
    """Runs of two steps, and a place for what they leave."""
    few = {"steps": 2, "evaluate_every": 1, "validation": 4, "batch": 2}
    monkeypatch.setattr(ablations, "BASE", replace(ablations.BASE, **few))
    monkeypatch.setattr(ablations, "LONGER", replace(ablations.LONGER, **few))
    monkeypatch.setattr(ablations, "TESTED", 5)
    monkeypatch.setattr(ablations, "ROOT", tmp_path)
    monkeypatch.setattr(ablations, "RESULTS", tmp_path)
    return tmp_path


def test_a_row_for_each_validation_of_each_seed(short):
    ablations.experiment("schemes", ablations.schemes(), jobs=1)
    facts = json.loads((short / "schemes.json").read_text())
    found = [(row["variant"], row["seed"], row["questions"]) for row in facts["rows"]]
    at, schemes = (16, 32), ("ut", "walls", "ctt")
    assert found == [(s, seed, q) for s in schemes for seed in (0, 1, 2) for q in at]
    assert [(end["variant"], end["seed"], end["n"]) for end in facts["ends"]] == [
        (s, seed, 5) for s in schemes for seed in (0, 1, 2)
    ]
    assert all(sum(end["departures"].values()) == 5 for end in facts["ends"])
    assert sorted(schemes) == sorted(SCHEMES)
    assert all(0 <= row["exact"] <= 1 for row in facts["rows"])


def test_a_variant_changes_one_thing():
    """And "one question a maze" asks as many a step by taking more mazes."""
    recipe, *others = ablations.variants().values()
    for config in others:
        assert config != recipe
        same = config.batch * config.mazes.questions
        assert same == recipe.batch * recipe.mazes.questions
        assert config.steps == recipe.steps


def test_mazes_are_asked_as_often_and_as_much_whether_together_or_apart():
    together, apart, one = ablations.packing().values()
    asked = [c.steps * c.batch * c.mazes.questions for c in (together, apart, one)]
    assert len(set(asked)) == 1
    assert together.steps * together.batch == apart.mazes.pool == asked[0] / 8
    assert one.mazes.pool is None
    small = replace(apart.mazes, pool=16)  # of a small pool: each maze comes again
    seen = MazeStream(small).take(0, 32).canonical_hashes
    assert (seen[:16] == seen[16:]).all()
