"""In which layer models decide a fork, by the logit lens, plain and tuned.

    python -m experiments.lens              # writes data/results/logit-lens.json
    python -m experiments.lens dfs10        # this model again, the others as they are

One row a model, about the forks of 4,000 test mazes: in which layer the right way on
takes the lead for good, by lookahead; how much earlier it overtakes a wrong way that is
a dead end than one that goes on; how the legal ways share their chances, layer by
layer. The tuned lens is fitted on other mazes.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int
from tqdm import tqdm

from experiments.families import (
    keep,
    lens_of,
    mazes_of,
    networks,
    rounded,
    without,
)
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.intervals import (
    bootstrap_groups,
    matched_difference,
    shuffles_within,
)
from mazelib.evidence.threads import one_thread
from mazelib.internals.lens import Lens
from mazelib.internals.logit_lens import fit_tuned, read_out, settled
from mazelib.internals.plans import PathSteps, cell_at, path_steps
from mazelib.internals.probes import groups_of
from mazelib.internals.streams import at_steps, streams_at
from mazelib.internals.ways import Forks, token_of
from mazelib.tokens.tokenizer import Tokenizer

TABLE = "logit-lens.json"
COUNT, TUNING = 4000, 2000
LOOKAHEADS = ((1, 1), (2, 2), (3, 4), (5, 8), (9, 99))
SHORT, LONG = 1, 5
"""How deep a dead end of one cell is, and a way that goes on."""
LATE = 2
"""The last layers, in which a path may be read off."""


def with_interval(values: np.ndarray, group: Int[np.ndarray, "things"]) -> list[float]:
    """A mean and its interval over groups of mazes."""
    ends = bootstrap_groups(group, lambda rows: values[rows].mean(), resamples=500)
    return rounded([values.mean(), *ends])


def decided(
    forks: Forks, logits: np.ndarray, right: Bool[np.ndarray, "forks"]
) -> dict[str, object]:
    """In which layer forks answered right are decided, by lookahead; how late."""
    last, layer = len(logits) - 1, forks.decided_in(logits)
    look = forks.table["lookahead"].to_numpy()
    by = {
        f"{low}-{high}": [
            int(here.sum()),
            *rounded([(layer[here] <= k).mean() for k in range(last + 1)]),
        ]
        for low, high in LOOKAHEADS
        if (here := right & (look >= low) & (look <= high)).any()
    }
    is_late = (layer > last - LATE)[right].astype(float)
    return {"by lookahead": by, "late": with_interval(is_late, forks.group[right])}


def late_elsewhere(
    mazes: MazeSet, steps: PathSteps, logits: np.ndarray, tokenizer: Tokenizer
) -> list[float]:
    """The same of steps without a choice: of the way on against a random other cell."""
    rng = np.random.default_rng(0)
    onward = cell_at(mazes, steps, 1)
    other = rng.integers(0, mazes.n**2 - 1, len(onward))
    other += other >= onward
    tokens = [token_of(mazes, steps.maze, c, tokenizer) for c in (onward, other)]
    each = np.arange(len(onward))
    mine, theirs = (logits[:, each, token] for token in tokens)
    is_late = settled(mine - theirs) > len(logits) - 1 - LATE
    is_right = logits[-1].argmax(1) == tokens[0]
    group = groups_of(mazes)[steps.maze]
    return with_interval(is_late[is_right].astype(float), group[is_right])


def dead_ends(
    forks: Forks, logits: np.ndarray, right: Bool[np.ndarray, "forks"]
) -> dict[str, object]:
    """How many layers earlier the right way overtakes a dead end than a long wrong way.

    At equal distance to the target, with its interval; `null`: the 95th percentile with
    the two kinds shuffled among forks of that distance. Also the mean layer of each
    kind, and how many there are.
    """
    ways, fork = forks.ways, forks.ways["fork"].to_numpy()
    depth, wrong = ways["depth"].to_numpy(), ~ways["right"].to_numpy()
    kept = wrong & right[fork] & ((depth == SHORT) | (depth >= LONG))
    layer = settled(forks.leads(logits)[:, kept]).astype(float)
    fork, is_long = fork[kept], depth[kept] >= LONG
    strata = forks.table["to_target"].to_numpy()[fork].astype(int)

    def gap(rows: np.ndarray, kinds: np.ndarray) -> float:
        return matched_difference(layer[rows], kinds[rows], strata[rows])

    every = np.arange(len(layer))
    null = [gap(every, mixed) for mixed in shuffles_within(strata, is_long, 500)]
    group = forks.group[fork]
    ends = bootstrap_groups(group, lambda rows: gap(rows, is_long), resamples=500)
    return {
        "earlier": rounded([gap(every, is_long), *ends]),
        "null": rounded(np.quantile(null, 0.95)),
        "layer": rounded([layer[~is_long].mean(), layer[is_long].mean()]),
        "n": [int((~is_long).sum()), int(is_long.sum()), len(np.unique(group))],
    }


def shared(
    forks: Forks, logits: np.ndarray, right: Bool[np.ndarray, "forks"]
) -> dict[str, object]:
    """How a fork's two ways share their chances, layer by layer, where it goes right.

    entropy: in bits; wrong: the share of the way not taken; by lookahead.
    """
    chance, fork = forks.chances(logits), forks.ways["fork"].to_numpy()
    is_two = (forks.table["options"] == 2).to_numpy() & right
    wrong = ~forks.ways["right"].to_numpy() & is_two[fork]
    share, look = chance[:, wrong], forks.table["lookahead"].to_numpy()[fork[wrong]]
    parts = np.stack([share, 1 - share])
    bits = -(parts * np.log2(np.clip(parts, 1e-12, 1))).sum(0)
    return {
        f"{low}-{high}": {
            "entropy": rounded(bits[:, here].mean(1)),
            "wrong": rounded(share[:, here].mean(1)),
        }
        for low, high in LOOKAHEADS
        if (here := (look >= low) & (look <= high)).any()
    }


def row(name: str, mazes: MazeSet, others: MazeSet) -> dict:
    """What the lenses show of one model."""
    lens = lens_of(name)
    forks, tuned = Forks(mazes, lens.tokenizer), tuned_on(lens, others)
    rng = np.random.default_rng(0)
    corridor = path_steps(mazes, "corridor")
    order = rng.permutation(len(corridor.maze))
    _, one = np.unique(corridor.maze[order], return_index=True)
    corridor = PathSteps(*(part[order][one] for part in corridor))
    wheres = {"fork": at_steps(forks.steps), "corridor": at_steps(corridor)}
    streams = streams_at(lens, mazes, wheres)
    right = read_out(lens, streams["fork"][-1]).argmax(-1) == forks.right
    counts = {"forks": len(right), "right": int(right.sum())}
    found = {"model": name, "mazes": len(np.unique(forks.group[right])), **counts}
    for kind, see in {"plain": lambda x: x, "tuned": tuned}.items():
        logits = read_out(lens, see(streams["fork"]))
        elsewhere = read_out(lens, see(streams["corridor"]))
        found[kind] = {
            **decided(forks, logits, right),
            "late in corridors": late_elsewhere(
                mazes, corridor, elsewhere, lens.tokenizer
            ),
            "dead ends": dead_ends(forks, logits, right),
            "shared": shared(forks, logits, right),
        }
    return found


def tuned_on(lens: Lens, mazes: MazeSet):
    """A tuned lens, fitted on all steps of the paths of some mazes."""
    steps = path_steps(mazes, "any")
    return fit_tuned(lens, streams_at(lens, mazes, {"": at_steps(steps)})[""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at all models, or those that are named, and write the table."""
    one_thread()
    known = networks(untrained=False)
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.lens", "n": COUNT}
    for name in tqdm(names, "models"):
        mazes = mazes_of(known[name], COUNT)
        others = without(mazes_of(known[name], TUNING, start=50_000), mazes)
        keep(TABLE, row(name, mazes, others), **about)


if __name__ == "__main__":
    main()
