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


def row(model: str, mazes: MazeSet, wrong_forks: list[int]) -> dict:
    """What solvers do at a model's misleading forks, beside what it does there."""
    forks = fork_table(mazes).assign(right=True)
    forks["group"] = mazes.canonical_hashes[forks["maze"]]
    forks.loc[wrong_forks, "right"] = False
    found = [
        {"side": side, "steps": steps, **solved(mazes, forks, make(steps))}
        for side, make in tqdm(SIDES.items(), "sides")
        for steps in tqdm(STEPS, side, leave=False)
    ]
    return {"model": model, "set": ASKED[model], "solvers": found}


def solved(mazes: MazeSet, forks: pd.DataFrame, step: Step) -> dict[str, object]:
    """What a solver does at misleading forks, and how often it decides as the model."""
    chances = np.concatenate([fork_chances(sample, step) for sample in mazes])
    misleading = forks.assign(chance=chances).query("misleading")
    shares = misleading.groupby("lookahead")["chance"].mean()
    two = misleading.query("options == 2")
    agrees = [two[name].to_numpy() for name in ("right", "chance")]
    interval = bootstrap_groups(
        two["group"].to_numpy(),
        lambda rows: agreement(*(x[rows] for x in agrees)),
        resamples=500,
    )
    return {
        "right": {int(k): round(share, 6) for k, share in shares.items()},
        "agreement": [agreement(*agrees), *interval],
    }


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
