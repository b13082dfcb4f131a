"""The scorecard of algorithms: which solver goes wrong where a model goes wrong?

    python -m experiments.scorecard          # writes data/results/scorecard.json
    python -m experiments.scorecard dfs5     # this model again, the others as they are

One row a model, of all forks of its test mazes, the path so far given. For each rival
(those of `experiments.horizons`, and the spectral solver): `others`, at what share of
the forks of other mazes it takes the way that the model takes; `failures`, the same at
the forks that the model gets wrong; `matched`, how often it errs at forks that the
model gets right, five for each failure, of as many ways, as far from the target, and
with the same lookahead. A rival that chooses among several ways by chance takes each
with its share. `rival`: the one with the most `others`; `agrees` and `control` are its
numbers. `illegal`: the share of failures that go into a wall or back, which no rival
does; `unmatched`: the failures that no fork is like.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from tqdm import tqdm

from experiments.families import (
    FAMILIES,
    mazes_of,
    mean_over,
    networks,
    rounded,
    without,
    write_table,
)
from experiments.horizons import solvers
from mazelib.behaviour.baselines import Step, fork_choices
from mazelib.behaviour.evaluation import next_cells
from mazelib.behaviour.forks import fork_table, ways_on
from mazelib.behaviour.spectral import spectral_step
from mazelib.dataset.stream import MazeSet
from mazelib.internals.probes import groups_of
from mazelib.models import zoo
from mazelib.models.checkpoint import TrainedModel
from mazelib.training.validation import teacher_forced

TABLE = "scorecard.json"
COUNT, CHOOSE, OTHERS = 20_000, 2000, 50_000
"""Mazes whose forks are scored, mazes that the rival is chosen on, and where they
begin."""
FEWER = {"dfs10": 4000}
"""Families whose failures are so frequent that fewer mazes do."""
EIGENVECTORS = (1, 2, 3, 4, 6, 8)
MATCHES = 5
ALIKE = ["options", "to_target", "lookahead"]


def rivals() -> Iterator[tuple[str, int, Step]]:
    """Each rival: its kind, how far it sees or how many rounds it fills, and itself."""
    yield from solvers()
    for count in EIGENVECTORS:
        yield "spectral", count, spectral_step(count)


def forks_of(trained: TrainedModel, mazes: MazeSet) -> pd.DataFrame:
    """The forks of mazes without cycles, and the way that a model takes at each.

    number: which of its maze's forks it is. way: the right one. chosen: the model's.
    legal: is that one of the ways on? group: alike for mazes that are equal.
    """
    found = teacher_forced(trained.model, trained.tokenizer, mazes)
    chosen = next_cells(found.likeliest, trained.tokenizer, mazes)
    forks = fork_table(mazes, chosen)
    forks["number"] = forks.groupby("maze").cumcount()
    places = list(zip(forks["maze"], forks["step"], strict=True))
    forks["way"] = [int(mazes.path[maze, 0, step + 1]) for maze, step in places]
    forks["chosen"] = [chosen[maze][step] for maze, step in places]
    forks["legal"] = [
        chosen[maze][step]
        in ways_on(mazes[maze].maze, mazes.path[maze, 0].tolist(), step)
        for maze, step in places
    ]
    forks["group"] = groups_of(mazes)[forks["maze"]]
    return forks


class Outcomes(NamedTuple):
    """The chances of a rival: to take the model's way, and to take a wrong one."""

    agrees: Float[np.ndarray, "forks"]
    errs: Float[np.ndarray, "forks"]


def outcomes(mazes: MazeSet, forks: pd.DataFrame, step: Step) -> Outcomes:
    """What a rival does at some forks, in the order of the table."""
    choices = {at: fork_choices(mazes[at], step) for at in forks["maze"].unique()}
    rows = forks[["maze", "number", "chosen", "way"]].itertuples(index=False)
    agrees, errs = [], []
    for maze, number, chosen, way in rows:
        among = choices[maze][number]
        agrees.append((chosen in among) / len(among))
        errs.append(1 - (way in among) / len(among))
    return Outcomes(np.array(agrees), np.array(errs))


def matched(forks: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Forks that a model gets right, some for each that it gets wrong and alike.

    And of how many failures there is no such fork.
    """
    rng, right = np.random.default_rng(0), forks[forks["right"]]
    alike = right.groupby(ALIKE).indices
    rows, missing = [], 0
    for kind in forks.loc[~forks["right"], ALIKE].itertuples(index=False, name=None):
        if kind in alike:
            rows.append(rng.choice(alike[kind], MATCHES))
        else:
            missing += 1
    return right.iloc[np.concatenate(rows)], missing


def row(name: str, mazes: MazeSet, others: MazeSet) -> dict:
    """All that is measured of one model."""
    trained = zoo.load(name)
    forks, elsewhere = forks_of(trained, mazes), forks_of(trained, others)
    wrong = forks[~forks["right"]]
    like, missing = matched(forks)
    found = []
    for kind, steps, step in tqdm([*rivals()], name, leave=False):
        failures = outcomes(mazes, wrong, step).agrees
        found.append(
            {
                "rival": kind,
                "steps": steps,
                "others": rounded(outcomes(others, elsewhere, step).agrees.mean()),
                "failures": mean_over(failures, wrong["group"].to_numpy()),
                "matched": rounded(outcomes(mazes, like, step).errs.mean()),
            }
        )
    best = max(found, key=lambda each: each["others"])
    return {
        "model": name,
        "forks": len(forks),
        "n": len(wrong),
        "mazes": wrong["group"].nunique(),
        "illegal": rounded(1 - wrong["legal"].mean()),
        "unmatched": missing,
        "rival": [best["rival"], best["steps"]],
        "agrees": best["failures"],
        "control": best["matched"],
        "rivals": found,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare all models with the rivals, or those named, and write the table."""

    def asked_of(family: str) -> tuple[MazeSet, ...]:
        mazes = mazes_of(family, FEWER.get(family, COUNT))
        others = without(mazes_of(family, CHOOSE, start=OTHERS), mazes)
        return mazes, others

    known = networks(untrained=False, families=tuple(FAMILIES))
    write_table(__doc__, TABLE, known, arguments, asked_of, row, n=COUNT)


if __name__ == "__main__":
    main()
