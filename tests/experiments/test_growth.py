"""Checkpoints stand in order, and their far forks are counted as they were decided."""

import shutil

import numpy as np
import pytest
from samples import held_back, large

from experiments import families, growth
from mazelib.behaviour.forks import fork_table
from mazelib.evidence import records, tables
from mazelib.internals import hidden_probes, readings
from mazelib.internals import probes as probes_module
from mazelib.internals.ways import Forks
from mazelib.models.checkpoint import save

RUNGS = {"ladder/09": 70, "ladder/80": 400, ".": 900}


@pytest.fixture
def climber(tiny_config, tmp_path):
    """A random network, and two more on its ladder."""
    for seed, (at, questions) in enumerate(RUNGS.items()):
        network = large(tiny_config, seed)
        save(tmp_path / "m", network, tiny_config, {"questions": questions})
        shutil.copytree(tmp_path / "m", tmp_path / "climber" / at, dirs_exist_ok=True)
    return tmp_path / "climber"


def test_checkpoints_are_rows_in_order_of_their_questions(
    climber, tiny_config, tmp_path, monkeypatch
):
    mazes = held_back(4, 300)
    right, asked = Forks(mazes, tiny_config.tokenizer).right, iter((1, 2, 3))

    def decide(lens, stream):
        """Every fork right, then every other one, then every third."""
        logits, every = np.zeros((len(right), right.max() + 2)), next(asked)
        logits[np.arange(0, len(right), every), right[::every]] = 1
        return logits

    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(readings, "DRAWS", 10)
    monkeypatch.setattr(hidden_probes, "STEPS", 5)
    monkeypatch.setattr(probes_module, "STRENGTHS", (10.0, 100.0))
    monkeypatch.setattr(families, "mazes_of", lambda family, count: mazes)
    monkeypatch.setattr(growth, "CLIMBER", str(climber))
    monkeypatch.setattr(growth, "FAR", 2)
    monkeypatch.setattr(growth, "read_out", decide)
    growth.main()
    rows = tables.read_table(growth.TABLE)["rows"]
    assert [row["questions"] for row in rows] == [*RUNGS.values()]
    forks = fork_table(mazes)
    far = np.flatnonzero(forks["misleading"] & (forks["lookahead"] >= 2))
    for every, row in enumerate(rows, 1):
        assert row["n"] == len(far) > 20
        assert row["far"][0] == pytest.approx((far % every == 0).mean(), abs=1e-4)
        assert row["far"][1] <= row["far"][0] <= row["far"][2]
        assert len(row["by layer"]) == 3
        assert {"question", "passages", "passages, hidden"} == set(row["controls"])
