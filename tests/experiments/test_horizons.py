"""Solvers that see so many steps are compared with a model, fork by fork."""

import json

import numpy as np
import pytest

from experiments import errors, horizons
from mazelib.behaviour.baselines import sighted_step
from mazelib.behaviour.forks import fork_table
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.evidence import records
from mazelib.mazes.generators import MazeConfig


@pytest.fixture(scope="module")
def mazes():
    return MazeStream(StreamConfig(MazeConfig("dfs", 6), split="test")).take(0, 300)


def test_the_solver_that_decides_as_the_model_does_is_found(
    mazes, tmp_path, monkeypatch
):
    """The model is one that sees three steps from the fork."""
    right = np.concatenate(
        [horizons.fork_chances(sample, sighted_step(3)) for sample in mazes]
    )
    wrong = np.flatnonzero(right < 1).tolist()
    known = [{"model": "dfs10", "set": "test, 10×10", "wrong_forks": wrong}]
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(errors, "sets", lambda: [("test, 10×10", mazes, ())])
    monkeypatch.setattr(horizons, "read_table", lambda table: {"rows": known})
    monkeypatch.setattr(horizons, "STEPS", range(1, 6))
    horizons.main()
    [row] = json.loads((tmp_path / horizons.TABLE).read_text())["rows"]
    solvers = {(s["side"], s["steps"]): s for s in row["solvers"]}
    assert len(solvers) == 15
    agreements = {key: found["agreement"] for key, found in solvers.items()}
    assert max(agreements, key=lambda key: agreements[key][0]) == ("the fork", 3)
    for value, low, high in agreements.values():
        assert low <= value <= high
    misleading = fork_table(mazes).query("misleading")
    assert set(solvers["both", 2]["right"]) == {
        str(int(k)) for k in misleading["lookahead"].unique()
    }
    for (side, steps), found in solvers.items():
        seen = {k: share for k, share in found["right"].items() if int(k) <= steps}
        assert side == "the target" or set(seen.values()) <= {1.0}
