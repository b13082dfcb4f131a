"""How far would a solver see that decides forks as a model does?

    python -m experiments.horizons          # writes data/results/horizons.json

One row a model, with what solvers do at the misleading forks of the mazes that
`experiments.errors` asked it about: solvers that see so many steps from the fork, from
the target, and from both (`mazelib.behaviour.baselines.sighted_step`). Each has the
share of forks that it gets right, by lookahead, and how often it decides as the model
does, at forks with two ways on (`mazelib.behaviour.horizons.agreement`).
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments import errors
from mazelib.behaviour.baselines import Step, fork_chances, sighted_step
from mazelib.behaviour.forks import fork_table
from mazelib.behaviour.horizons import agreement
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.evidence.tables import read_table, replace_rows
from mazelib.evidence.threads import one_thread
from mazelib.models import zoo

TABLE = "horizons.json"
ASKED = {errors.TEN: "test, 10×10"}
"""Models, and the set of `experiments.errors` whose forks are compared."""
SIDES: dict[str, Callable[[int], Step]] = {
    "the fork": sighted_step,
    "the target": lambda steps: sighted_step(1, steps),
    "both": lambda steps: sighted_step(steps, steps),
}
STEPS = range(1, 13)
"""How far they see; one step ahead they all do."""


def solved(
    mazes: MazeSet, forks: pd.DataFrame, right: np.ndarray, step: Step
) -> dict[str, object]:
    """What a solver does at misleading forks, beside a model that is right at some."""
    chances = np.concatenate([fork_chances(sample, step) for sample in mazes])
    misleading = forks["misleading"].to_numpy()
    by_lookahead = pd.Series(chances).groupby(forks["lookahead"].where(misleading))
    two = misleading & (forks["options"] == 2).to_numpy()
    group = mazes.canonical_hashes[forks["maze"]][two]
    agrees = [right[two], chances[two]]
    interval = bootstrap_groups(
        group, lambda rows: agreement(*(x[rows] for x in agrees)), resamples=500
    )
    shares = by_lookahead.mean()
    return {
        "right": {int(k): round(share, 6) for k, share in shares.items()},
        "agreement": [agreement(*agrees), *interval],
    }


def row(model: str, mazes: MazeSet, wrong_forks: list[int]) -> dict:
    """A model's row."""
    forks = fork_table(mazes)
    right = np.ones(len(forks), bool)
    right[wrong_forks] = False
    found = [
        {"side": side, "steps": steps, **solved(mazes, forks, right, make(steps))}
        for side, make in tqdm(SIDES.items(), "sides")
        for steps in tqdm(STEPS, side, leave=False)
    ]
    return {"model": model, "set": ASKED[model], "solvers": found}


def main() -> None:
    """Compare the models with solvers, and write the table."""
    one_thread()
    known = {(r["model"], r["set"]): r for r in read_table(errors.TABLE)["rows"]}
    drawn = {name: mazes for name, mazes, _ in errors.sets() if name in ASKED.values()}
    rows = [
        row(model, drawn[kind], known[model, kind]["wrong_forks"])
        for model, kind in ASKED.items()
    ]
    made_by = "python -m experiments.horizons"
    replace_rows(TABLE, list(ASKED), rows, zoo.hashes(ASKED), made_by=made_by)


if __name__ == "__main__":
    main()
