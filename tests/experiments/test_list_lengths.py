"""Lists longer and shorter than in training, of mazes that stay as they are."""

import json

import numpy as np

from experiments import list_lengths
from mazelib.behaviour.evaluation import evaluate
from mazelib.evidence import records
from mazelib.models import zoo


def test_a_row_says_what_the_model_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(list_lengths, "MAZES", 12)
    monkeypatch.setattr(list_lengths, "MORE", (-2, 0, 1))
    list_lengths.main(["dfs5", "dfs5-learned"])
    facts = json.loads((tmp_path / list_lengths.TABLE).read_text())
    assert facts["weights"] == zoo.hashes(["dfs5", "dfs5-learned"])
    rows = {(row["model"], row["more"]): row for row in facts["rows"]}
    assert {row["entries"] for row in facts["rows"]} == {22, 24, 25}
    usual, longer = rows["dfs5-learned", 0], rows["dfs5-learned", 1]
    trained, mazes = zoo.load("dfs5-learned"), list_lengths.asked_mazes("dfs5-learned")
    table = evaluate(trained.model, trained.tokenizer, mazes)
    assert usual["exact"][0] == table["exact"].mean() > 0.8
    assert usual["starts"][0] == 1
    assert longer["exact"][0] == 0
    assert rows["dfs5", 1]["starts"][0] == 1
    assert {row["n"] for row in facts["rows"]} == {12}


def test_paths_leave_passages_to_be_left_out():
    for name in list_lengths.models_asked():
        mazes = list_lengths.asked_mazes(name)
        assert len(mazes) == list_lengths.MAZES
        assert np.all(mazes.length[:, 0] - 1 <= mazes.n**2 - 1 + min(list_lengths.MORE))
