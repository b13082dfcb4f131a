"""Fewer mazes are fitted, none else is moved; what is planted is ahead of the input."""

import numpy as np
import pytest
from samples import held_back

from experiments import more_mazes
from mazelib.evidence import records, tables
from mazelib.internals import probes, readings
from mazelib.internals.plans import future, path_steps
from mazelib.internals.probes import CHOOSE, FIT, SCORE
from mazelib.internals.readings import Asked


@pytest.fixture
def mazes():
    return held_back(4, 900)


def test_a_share_of_the_mazes_is_fitted_and_the_others_stay(mazes):
    steps = path_steps(mazes, "fork")
    asked = Asked.of(mazes, steps.maze, future(mazes, steps))
    few = more_mazes.fitted_on(asked, 0.25)
    for part in (CHOOSE, SCORE):
        assert ((few.part == part) == (asked.part == part)).all()
    kept, whole = (np.unique(some.group[some.part == FIT]) for some in (few, asked))
    assert len(kept) == round(0.25 * len(whole))
    inside = np.isin(asked.group, kept)
    assert ((few.part == FIT) == inside).all()
    assert (more_mazes.fitted_on(asked, 1.0).part == asked.part).all()


def test_a_planted_path_is_read_at_every_share(mazes, tmp_path, monkeypatch):
    steps = path_steps(mazes, "fork")
    labels, rng = future(mazes, steps), np.random.default_rng(0)
    planted = labels @ rng.normal(size=(16, 48))
    streams = np.stack([rng.normal(size=planted.shape), planted])

    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(readings, "DRAWS", 20)
    monkeypatch.setattr(probes, "STRENGTHS", (1.0, 100.0))
    monkeypatch.setattr(more_mazes, "SHARES", (0.5, 1.0))
    monkeypatch.setattr(more_mazes, "networks", lambda **which: {"dfs5": "dfs5"})
    monkeypatch.setattr(more_mazes, "mazes_of", lambda family, count: mazes)
    monkeypatch.setattr(more_mazes, "lens_of", lambda name: None)
    monkeypatch.setattr(
        more_mazes, "streams_at", lambda lens, mazes, wheres: {"": streams}
    )
    more_mazes.main([])
    [row] = tables.read_table(more_mazes.TABLE)["rows"]
    assert row["mazes"][0] < row["mazes"][1]
    for at in range(2):
        assert row["read"][at][0] > 0.97 > row["next cell"][at][0]
        gap, low, high = row["beyond passages"][at]
        assert low <= gap <= high
        mine, other = row["read"][at][0], row["passages"][at][0]
        assert gap == pytest.approx(mine - other, abs=2e-4)
