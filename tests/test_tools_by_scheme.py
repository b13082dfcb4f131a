"""Each model there is answers the same mazes, and its failures are told by number."""

import json

import numpy as np

from mazelib import checkpoint, zoo
from mazelib.behaviour.evaluation import evaluate
from mazelib.dataset import MazeStream
from mazelib.model import MazeModelConfig, build
from tools import by_scheme


def test_a_row_for_each_model_there_is(tmp_path, monkeypatch):
    mazes = MazeStream(zoo.held_out("dfs5")).take(0, 20)
    monkeypatch.setattr(by_scheme, "COUNT", len(mazes))
    monkeypatch.setattr(by_scheme, "RESULTS", tmp_path)
    monkeypatch.setattr(by_scheme, "MODELS", ("dfs5", "small-pairs", "not-there"))
    config = MazeModelConfig(scheme="ctt", layers=1, width=16, heads=2)
    folder, load, read = tmp_path / "small-pairs", zoo.load, zoo.names()
    checkpoint.save(folder, build(config, seed=0), config, {"questions": 7})
    at = {"small-pairs": folder}
    monkeypatch.setattr(zoo, "names", lambda: [*read, "small-pairs"])
    monkeypatch.setattr(zoo, "load", lambda name: load(at.get(name, name)))
    by_scheme.main()
    facts = json.loads((tmp_path / "by-scheme.json").read_text())
    rows = {row["model"]: row for row in facts["rows"]}
    assert list(rows) == ["dfs5", "small-pairs"]
    for name, row in rows.items():
        trained = load(at.get(name, name))
        table = evaluate(trained.model, trained.tokenizer, mazes)
        assert row["failed"] == np.flatnonzero(~table["exact"]).tolist()
        assert row["departures"] == table["departure"][~table["exact"]].tolist()
        assert row["n"] == len(mazes)
    assert len(rows["small-pairs"]["failed"]) == 20
    assert rows["small-pairs"]["questions"] == 7
