"""A model that is one of the rivals is found, at its failures, too."""

import numpy as np
import pytest
from samples import held_back

from experiments import scorecard
from mazelib.behaviour.baselines import fork_choices, sighted_step
from mazelib.behaviour.forks import fork_table


@pytest.fixture(scope="module")
def mazes():
    return held_back(5, 400)


def planted(mazes, step) -> "scorecard.pd.DataFrame":
    """The forks of a model that decides as a solver does, the first of its choices."""
    forks = fork_table(mazes)
    forks["number"] = forks.groupby("maze").cumcount()
    choices = [fork_choices(sample, step) for sample in mazes]
    forks["chosen"] = [among[0] for found in choices for among in found]
    places = zip(forks["maze"], forks["step"], strict=True)
    forks["way"] = [int(mazes.path[maze, 0, at + 1]) for maze, at in places]
    forks["right"] = forks["chosen"] == forks["way"]
    forks["group"] = forks["maze"]
    return forks


def test_a_solver_agrees_with_itself_where_it_fails_and_errs_nowhere_else(mazes):
    step = sighted_step(3)
    forks = planted(mazes, step)
    wrong = forks[~forks["right"]]
    assert 10 < len(wrong) < len(forks) / 2
    own = scorecard.outcomes(mazes, wrong, step)
    alone = own.agrees == 1
    assert alone.mean() > 0.5  # the others are ties
    assert (own.agrees >= 1 / 3).all()
    assert (own.errs[alone] == 1).all()
    like, missing = scorecard.matched(forks)
    assert like["right"].all()
    assert len(like) == scorecard.MATCHES * (len(wrong) - missing)
    kinds = scorecard.ALIKE
    asked = set(wrong[kinds].itertuples(index=False, name=None))
    assert set(like[kinds].itertuples(index=False, name=None)) <= asked
    assert scorecard.outcomes(mazes, like, step).errs.mean() < 0.5
    blind = scorecard.outcomes(mazes, wrong, sighted_step(12))
    assert blind.agrees.mean() < own.agrees.mean() - 0.3


def test_ways_into_walls_agree_with_no_rival(network):
    some = held_back(3, 40)
    forks = scorecard.forks_of(network, some)
    illegal = forks[~forks["legal"]]
    assert len(illegal)
    for _, _, step in list(scorecard.rivals())[:3]:
        assert not scorecard.outcomes(some, illegal, step).agrees.any()
    assert (forks["right"] == (forks["chosen"] == forks["way"])).all()


def test_every_kind_of_rival_is_there():
    kinds = {kind for kind, _, _ in scorecard.rivals()}
    wanted = {"greedy", "the fork", "the target", "both", "back-filling", "spectral"}
    assert kinds == wanted


def test_what_is_committed_says_what_its_rivals_say():
    from mazelib.evidence.tables import read_table

    for row in read_table(scorecard.TABLE)["rows"]:
        best = max(row["rivals"], key=lambda each: each["others"])
        assert row["rival"] == [best["rival"], best["steps"]]
        assert row["agrees"] == best["failures"]
        assert row["control"] == best["matched"]
        assert row["agrees"][1] <= row["agrees"][0] <= row["agrees"][2]
        assert np.isfinite(row["illegal"])
