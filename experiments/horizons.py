"""Which solver decides forks as a model does, and how far would it see?

    python -m experiments.horizons          # writes data/results/horizons.json

One row a model, with what solvers do at the misleading forks of the mazes that
`experiments.errors` asked it about: the greedy one, those that see so many steps from
the fork, from the target, and from both (`mazelib.behaviour.baselines.sighted_step`),
and those that fill dead ends for so many rounds (`mazelib.behaviour.backfilling`). Each
has how often it decides as the model does, at forks with two ways on
(`mazelib.behaviour.horizons.agreement`): in all mazes, in the first half of them, by
which a number of steps can be chosen, and in the second. Where a set has been asked of
several models, the first has the share of forks that each solver gets right, too, by
lookahead.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments import errors
from experiments.families import networks, rounded
from mazelib.behaviour.backfilling import backfilling_step
from mazelib.behaviour.baselines import Step, fork_chances, greedy_step, sighted_step
from mazelib.behaviour.forks import fork_table
from mazelib.behaviour.horizons import agreement
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.evidence.tables import read_table, replace_rows
from mazelib.evidence.threads import one_thread
from mazelib.models import zoo

TABLE = "horizons.json"
SETS = {"dfs5": "test", "dfs6-learned": "test, 6×6", errors.TEN: "test, 10×10"}
"""The set of `experiments.errors` whose forks are compared, for each family."""
SIDES: dict[str, Callable[[int], Step]] = {
    "the fork": sighted_step,
    "the target": lambda steps: sighted_step(1, steps),
    "both": lambda steps: sighted_step(steps, steps),
    "back-filling": backfilling_step,
}
STEPS = range(1, 13)
"""How far they see, or how many rounds they fill; one step ahead all see that see."""


def models_asked() -> dict[str, str]:
    """The models that are there, and the set that each is compared on."""
    return {name: SETS[of] for name, of in networks(untrained=False).items()}


def solvers() -> Iterator[tuple[str, int, Step]]:
    """Each solver: what it sees from, how many steps, and itself."""
    yield "greedy", 0, greedy_step
    for side, make in SIDES.items():
        for steps in STEPS:
            yield side, steps, make(steps)


def misleading_forks(mazes: MazeSet) -> tuple[pd.DataFrame, dict]:
    """A set's misleading forks, and each solver's chances of going right at them."""
    forks = fork_table(mazes)
    forks["group"] = mazes.canonical_hashes[forks["maze"]]
    forks["half"] = forks["maze"] * 2 // len(mazes)
    kept = forks["misleading"].to_numpy()
    chances = {
        (side, steps): np.concatenate([fork_chances(s, step) for s in mazes])[kept]
        for side, steps, step in tqdm([*solvers()], "solvers", leave=False)
    }
    return forks[kept], chances


def compared(forks: pd.DataFrame, right: np.ndarray, chance: np.ndarray) -> dict:
    """How often a solver decides as a model does, at forks with two ways on."""
    two = (forks["options"] == 2).to_numpy()
    half = forks["half"].to_numpy()

    def agrees(rows: np.ndarray) -> float:
        return agreement(right[rows], chance[rows])

    def with_interval(rows: np.ndarray) -> list[float]:
        group = forks["group"].to_numpy()[rows]
        ends = bootstrap_groups(group, lambda drawn: agrees(rows[drawn]), resamples=500)
        return rounded([agrees(rows), *ends])

    first, second = (np.flatnonzero(two & (half == number)) for number in (0, 1))
    return {
        "agreement": with_interval(np.flatnonzero(two)),
        "first half": rounded(agrees(first)),
        "second half": with_interval(second),
    }


def shares(forks: pd.DataFrame, chance: np.ndarray) -> dict[int, float]:
    """The share of forks that a solver gets right, by lookahead."""
    by = forks.assign(chance=chance).groupby("lookahead")["chance"].mean()
    return {int(k): round(share, 6) for k, share in by.items()}


def main() -> None:
    """Compare the models with solvers, and write the table."""
    one_thread()
    known = {(r["model"], r["set"]): r for r in read_table(errors.TABLE)["rows"]}
    asked = models_asked()
    asked = {name: kind for name, kind in asked.items() if (name, kind) in known}
    rows = []
    for kind, mazes, _ in errors.sets():
        models = [name for name, of in asked.items() if of == kind]
        if not models:
            continue
        forks, chances = misleading_forks(mazes)
        for model in tqdm(models, kind):
            right = ~forks.index.isin(known[model, kind]["wrong_forks"])
            found = [
                {"side": side, "steps": steps, **compared(forks, right, chance)}
                | ({"right": shares(forks, chance)} if model == models[0] else {})
                for (side, steps), chance in chances.items()
            ]
            scored = forks[(forks["options"] == 2) & (forks["half"] == 1)]
            count = scored["group"].nunique()
            row = {"model": model, "set": kind, "mazes": count, "solvers": found}
            rows.append(row)
    made_by = "python -m experiments.horizons"
    replace_rows(TABLE, list(asked), rows, zoo.hashes(asked), made_by=made_by)


if __name__ == "__main__":
    main()
