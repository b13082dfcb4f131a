"""Do surroundings that were frequent in training spare errors in new mazes?

    python -m experiments.patterns          # writes data/results/patterns.json
    python -m experiments.patterns dfs5     # this model again, the others as they are

One row a model, about the forks of 20,000 test mazes. How often a fork's surroundings
(the passages between the 3×3 cells around it, or its own four sides) came up at its
cell in 200,000 mazes of training puts it in the most frequent, the middle or the rarest
third of its cell's forks. `spared` is the share of errors that the first third has less
than the last at equal difficulty; `null` the 95th percentile of the same where the
thirds are shuffled among forks of equal difficulty.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from tqdm import tqdm

from experiments.families import by_family, keep, mazes_of, networks, rounded
from mazelib.behaviour.evaluation import next_cells
from mazelib.behaviour.forks import fork_table
from mazelib.behaviour.windows import window_codes, window_counts
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet, MazeStream
from mazelib.evidence.intervals import (
    bootstrap_groups,
    matched_ratio,
    shuffles_within,
)
from mazelib.evidence.threads import one_thread
from mazelib.internals.probes import groups_of
from mazelib.models import zoo
from mazelib.training.validation import teacher_forced

TABLE = "patterns.json"
COUNT, TRAINED = 20_000, 200_000
FAMILIES = ("dfs5", "dfs6-learned")
WINDOWS = {"3×3": 1, "own sides": 0}
FAR = 12
"""Steps to the target and of lookahead that are told apart; more count as so many."""


def thirds(family: str, mazes: MazeSet, forks: pd.DataFrame) -> pd.DataFrame:
    """Of each fork and kind of window the third of its frequency: 0 the rarest."""
    seen = MazeStream(zoo.trained_on(family)).take(0, TRAINED)
    at = forks["maze"].to_numpy()
    cell = mazes.path[at, 0, forks["step"]].astype(int)
    found = {}
    for name, reach in WINDOWS.items():
        counts = window_counts(window_codes(seen, reach))
        codes = window_codes(mazes, reach)[at, cell].tolist()
        often = pd.Series(
            [counts[c].get(k, 0) for c, k in zip(cell.tolist(), codes, strict=True)]
        )
        rank = often.groupby(cell).rank(pct=True)
        found[name] = np.minimum((rank * 3).astype(int), 2).to_numpy()
    return pd.DataFrame(found)


def strata_of(forks: pd.DataFrame) -> np.ndarray:
    """A number for all forks that are as hard, from 0."""
    hard = [forks[name].clip(upper=FAR) for name in ("lookahead", "to_target")]
    key = pd.concat([*hard, forks[["options", "misleading"]]], axis=1)
    return key.groupby(list(key)).ngroup().to_numpy()


def spared(wrong: np.ndarray, third: np.ndarray, strata: np.ndarray) -> float:
    """The share of errors that the most frequent third has less than the rarest."""
    kept = third != 1
    return 1 - matched_ratio(wrong[kept], third[kept] == 2, strata[kept])


def facts(
    wrong: np.ndarray, third: np.ndarray, strata: np.ndarray, groups: np.ndarray
) -> dict[str, object]:
    """What a kind of window spares, its interval over mazes, and the null."""
    mixed = shuffles_within(strata, third, 500)
    null = [spared(wrong, other, strata) for other in mixed]
    ends = bootstrap_groups(
        groups, lambda rows: spared(wrong[rows], third[rows], strata[rows])
    )
    return {
        "spared": rounded([spared(wrong, third, strata), *ends]),
        "null": rounded(np.quantile(null, 0.95)),
        "error": rounded([wrong[third == number].mean() for number in range(3)]),
        "forks": [int((third == number).sum()) for number in range(3)],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask all models, or those that are named, and write the table."""
    one_thread()
    known = networks(untrained=False, families=FAMILIES)
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.patterns", "n": COUNT}
    for family, some in by_family(names, known):
        mazes = mazes_of(family, COUNT)
        forks = fork_table(mazes)
        third, strata = thirds(family, mazes, forks), strata_of(forks)
        groups = groups_of(mazes)[forks["maze"]]
        for name in tqdm(some, family):
            trained = zoo.load(name)
            model, tokenizer = trained.model, trained.tokenizer
            likeliest, _, _ = teacher_forced(model, tokenizer, mazes)
            chosen = next_cells(likeliest, tokenizer, mazes)
            wrong = ~fork_table(mazes, chosen)["right"].to_numpy()
            row = {"model": name, "mazes": len(np.unique(groups))} | {
                kind: facts(wrong, third[kind].to_numpy(), strata, groups)
                for kind in WINDOWS
            }
            keep(TABLE, row, **about)


if __name__ == "__main__":
    main()
