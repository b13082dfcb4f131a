"""Every model is asked every set, and rows say what was measured."""

import json
from dataclasses import asdict
from functools import partial

import numpy as np
import pytest

from experiments import by_set
from mazelib.behaviour import shifts
from mazelib.behaviour.evaluation import evaluate
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.evidence import records
from mazelib.mazes.generators import MazeConfig
from mazelib.models import checkpoint, zoo
from mazelib.training.recipe import TrainConfig


@pytest.fixture
def ours(tiny_model, tiny_config, tmp_path, monkeypatch):
    """One small model with one rung, two small sets, and a place for the table."""
    training = asdict(TrainConfig(StreamConfig(MazeConfig("dfs", 4)), tiny_config))
    metrics = {"exact": 0.5, "exact_ci": [0.4, 0.6], "n": 9}
    facts = {"questions": 7, "metrics": metrics, "training": training}
    facts |= {"seed": 0, "steps": 1, "seconds": 0.5}
    for name in ("small", "small/ladder/000001"):
        folder = tmp_path / "models" / name
        checkpoint.save(folder, tiny_model, tiny_config, facts)
    few = MazeStream(StreamConfig(MazeConfig("dfs", 4), split="test")).take(0, 30)
    asked = by_set.Asked(few, None, few.canonical_hashes)
    monkeypatch.setattr(zoo, "MODELS", tmp_path / "models")
    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    made = {"none": lambda: asked, "prim": lambda: asked}
    monkeypatch.setattr(by_set, "sets", lambda: made)
    return tmp_path, few


def test_a_row_for_each_model_and_solver_on_each_set(ours, tiny_model, tiny_config):
    folder, few = ours
    by_set.main([])
    facts = json.loads((folder / "results/by-set.json").read_text())
    rows = {(row["model"], row["set"]): row for row in facts["rows"]}
    assert len(rows) == len(facts["rows"]) == 2 * (1 + 4) + 1
    row = rows["small", "none"]
    table = evaluate(tiny_model, tiny_config.tokenizer, few)
    assert row["n"] == 30
    assert row["valid"][0] == pytest.approx(table["valid"].mean(), abs=0.04)
    assert rows["small/000001", "none"]["forks"] == row["forks"]
    assert 0 < rows["random", "prim"]["forks"][0] < 1
    for row in rows.values():
        low, high = row["shortest"][1:]
        assert low <= row["shortest"][0] <= high


def test_one_model_is_asked_again_and_the_others_kept(ours):
    path = ours[0] / "results/by-set.json"
    by_set.main([])
    whole = json.loads(path.read_text())
    marked = [{**row, "n": -1} for row in whole["rows"]]
    path.write_text(json.dumps({**whole, "rows": marked}))
    by_set.main(["small", "wall"])
    facts = json.loads(path.read_text())
    again = [row["model"] for row in facts["rows"] if row["n"] > 0]
    assert sorted(set(again)) == ["small", "small/000001", "wall"]
    assert len(facts["rows"]) == len(whole["rows"])
    assert facts["weights"] == whole["weights"]


def test_an_unknown_name_is_refused(ours, capsys):
    with pytest.raises(SystemExit):
        by_set.main(["smal"])
    assert "no smal: take of small, random" in capsys.readouterr().err


def test_sets_are_made_as_they_are_named():
    made = by_set.sets()
    assert {"two ways", "obstacle, all", "3×3, 24 entries"} <= set(made)
    asked = made["open field, all"]()
    assert len(asked.mazes) == 3 * 520
    assert len(np.unique(asked.groups)) == 520
    lists = by_set.drawn("3×3, 24 entries", shifts.lengths()["3×3, 24 entries"]).lists
    assert {len(edges) for edges in lists} == {24}
    assert isinstance(made["none"], partial)
