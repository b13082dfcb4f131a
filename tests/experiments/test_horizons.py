"""Solvers that see so many steps are compared with a model, fork by fork."""

import json

import numpy as np
import pytest
from samples import held_back

from experiments import errors, horizons
from mazelib.behaviour.backfilling import backfilling_step
from mazelib.behaviour.baselines import fork_chances, sighted_step
from mazelib.behaviour.forks import fork_table
from mazelib.evidence import records

STEPS = range(2, 5)


@pytest.fixture(scope="module")
def mazes():
    return held_back(6, 250)


@pytest.fixture(scope="module")
def forks(mazes):
    """The misleading forks, and what each solver does there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(horizons, "STEPS", STEPS)
        return horizons.misleading_forks(mazes)


@pytest.mark.parametrize("sought", [("the fork", 3), ("both", 2), ("back-filling", 4)])
def test_the_solver_that_decides_as_the_model_does_is_found(
    mazes, forks, tmp_path, monkeypatch, sought
):
    """One model is the solver, and another one sees a step from the fork."""
    side, steps = sought
    solver = horizons.SIDES[side](steps)
    chances = [fork_chances(sample, solver) for sample in mazes]
    known = [
        {"model": name, "set": "test, 6×6", "wrong_forks": wrong}
        for name, wrong in {
            "dfs6-learned": np.flatnonzero(np.concatenate(chances) < 1).tolist(),
            "dfs6-learned-seed1": np.flatnonzero(
                np.concatenate([fork_chances(s, sighted_step(1)) for s in mazes]) < 1
            ).tolist(),
        }.items()
    ]
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setattr(errors, "sets", lambda: [("test, 6×6", mazes, ())])
    monkeypatch.setattr(horizons, "read_table", lambda table: {"rows": known})
    both = dict.fromkeys((row["model"] for row in known), "dfs6-learned")
    monkeypatch.setattr(horizons, "networks", lambda untrained: both)
    monkeypatch.setattr(horizons, "misleading_forks", lambda mazes: forks)
    horizons.main()
    solver, other = json.loads((tmp_path / horizons.TABLE).read_text())["rows"]
    assert [solver["model"], other["model"]] == ["dfs6-learned", "dfs6-learned-seed1"]
    found = {(s["side"], s["steps"]): s for s in solver["solvers"]}
    assert len(found) == 1 + 4 * len(STEPS)
    values = {key: s["agreement"][0] for key, s in found.items()}
    # where it is torn it counts as wrong, so another may do as well
    assert values[sought] > max(0.95, max(values.values()) - 0.05)
    assert values["greedy", 0] == 0.5  # misled by definition
    assert values["the target", 2] < values[sought] - 0.05
    halves = found[sought]["first half"], found[sought]["second half"][0]
    assert min(halves) <= values[sought] + 0.03
    assert max(halves) >= values[sought] - 0.03
    for s in found.values():
        value, low, high = s["agreement"]
        assert low <= value <= high
    assert all("right" not in s for s in other["solvers"])


def test_shares_are_of_the_misleading_forks_by_lookahead(mazes, forks):
    forks, chances = forks
    table = fork_table(mazes).query("misleading")
    assert len(forks) == len(table)
    found = horizons.shares(forks, chances["both", 2])
    assert set(found) == set(table["lookahead"])
    for steps in (2, 4):
        for step in (sighted_step, backfilling_step):
            side = "the fork" if step is sighted_step else "back-filling"
            own = np.concatenate([fork_chances(s, step(steps)) for s in mazes])
            np.testing.assert_array_equal(chances[side, steps], own[table.index])
        seen = horizons.shares(forks, chances["the fork", steps])
        assert {share for k, share in seen.items() if k <= steps} == {1.0}
