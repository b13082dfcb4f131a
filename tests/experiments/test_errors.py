"""What a model gets wrong is told by number, of the mazes and of their forks."""

import json
from itertools import islice

import numpy as np
import pytest

from experiments import errors
from mazelib.behaviour.evaluation import evaluate
from mazelib.behaviour.forks import fork_table
from mazelib.dataset.stream import MazeStream
from mazelib.evidence import records
from mazelib.models import zoo


def test_errors_are_those_of_the_models_answers(tmp_path, monkeypatch):
    mazes = MazeStream(zoo.held_out("dfs6")).take(0, 40)  # 5×5 models fail many
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(errors, "sets", lambda: [("six", mazes, ("dfs5", "dfs6"))])
    errors.main([])
    facts = json.loads((tmp_path / "errors.json").read_text())
    assert [row["model"] for row in facts["rows"]] == ["dfs5", "dfs6"]
    for row in facts["rows"]:
        trained = zoo.load(row["model"])
        table = evaluate(trained.model, trained.tokenizer, mazes)
        forks = fork_table(mazes, table["next_cells"].tolist())
        assert row["failed"] == np.flatnonzero(~table["exact"]).tolist()
        assert row["wrong_forks"] == np.flatnonzero(~forks["right"]).tolist()
        assert (row["mazes"], row["forks"]) == (40, len(forks))
    assert len(facts["rows"][0]["failed"]) > len(facts["rows"][1]["failed"])


def test_sets_are_as_large_as_their_hypotheses_say():
    least = {"test": 6000, "prim": 500, "wilson": 2000}
    made = {kind: len(mazes) for kind, mazes, _ in islice(errors.sets(), 4)}
    assert {name: made[name] for name in least} == least


def test_one_model_is_asked_again_and_the_others_kept(tmp_path, monkeypatch):
    mazes = MazeStream(zoo.held_out("dfs5")).take(0, 3)
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(errors, "sets", lambda: [("few", mazes, ("dfs5", "dfs6"))])
    errors.main([])
    before = json.loads((tmp_path / "errors.json").read_text())
    errors.main(["dfs5"])
    after = json.loads((tmp_path / "errors.json").read_text())
    assert after["rows"] == before["rows"][::-1]
    assert after["weights"] == before["weights"]
    with pytest.raises(SystemExit):
        errors.main(["dfs7"])
