"""Sets of heads, chosen by what they look at, and others to compare them with.

    sets = sets_of_heads(head_scores(lens, mazes))     # {"entries": [(5, 0), …], …}
    without_a_job(scores, [(1, 2), (5, 0)])            # others that do nothing of it

Choose on other mazes than are measured on.
"""

from collections import Counter
from collections.abc import Collection

import numpy as np
from jaxtyping import Int

from mazelib.errors import MazelibError
from mazelib.internals.ablation import Head
from mazelib.internals.attention import HeadScores, Scores, best_head

WITHIN = ("semicolon_to_first", "semicolon_to_second", "second_to_first")
"""What a head may look at within an entry to tell one of its cells of the other."""
CONNECTOR = ("semicolon_to_connector", "second_to_connector")
ROLES = ("joined", "entries", *WITHIN, *CONNECTOR)
"""Scores that say that a head has a job."""
HALF, QUARTER = 0.5, 0.25
"""Scores of a head that looks within an entry, and of one that has a job at all."""
DRAWS = 8
"""Sets of other heads that a set is compared with, at most."""


def as_heads(places: Int[np.ndarray, "heads 2"]) -> list[Head]:
    """Rows of a layer and a head as pairs of ints."""
    return [tuple(map(int, place)) for place in places]


def top_heads(scores: Scores, count: int = 3) -> list[Head]:
    """The heads with the highest means, best first."""
    mean = scores.mean(0)
    order = np.argsort(-mean, axis=None)[:count]
    return as_heads(np.stack(np.unravel_index(order, mean.shape), 1))


def above(chosen: HeadScores, names: Collection[str], least: float) -> list[Head]:
    """The heads with at least so much of one of the scores, on average."""
    mean = np.max([getattr(chosen, name).mean(0) for name in names], 0)
    return as_heads(np.argwhere(mean >= least))


def sets_of_heads(chosen: HeadScores) -> dict[str, list[Head]]:
    """The sets of heads that are taken out, chosen by what they look at.

    entries, walled: the three best. Those within an entry are in layers before the best
    that finds entries: first stage, from both tokens of it together; naming, from the
    semicolon to the first cell; telling, to the other cell; within, any of them;
    connector, to the connector.
    """
    last, _ = best_head(chosen.entries)
    within = {
        "first stage": above(chosen, ["own_cells"], HALF),
        "naming": above(chosen, WITHIN[:1], HALF),
        "telling": above(chosen, WITHIN[1:], HALF),
        "within": above(chosen, WITHIN, HALF),
        "connector": above(chosen, CONNECTOR, HALF),
    }
    found = {name: top_heads(getattr(chosen, name)) for name in ("walled", "entries")}
    earlier = {k: [head for head in v if head[0] < last] for k, v in within.items()}
    return {k: heads for k, heads in (found | earlier).items() if heads}


def without_a_job(chosen: HeadScores, heads: list[Head]) -> list[list[Head]]:
    """Sets of as many other heads, drawn from those that have none of the `ROLES`."""
    busy, count = {*above(chosen, ROLES, QUARTER), *heads}, len(heads)
    free = [head for head in np.ndindex(chosen.entries.shape[1:]) if head not in busy]
    if len(free) <= count:
        raise MazelibError(
            f"only {len(free)} heads have no job, but more than {count} are wanted"
        )
    rng = np.random.default_rng(0)
    drawn = [rng.choice(len(free), count, replace=False) for _ in range(DRAWS)]
    return [[free[at] for at in sorted(places)] for places in drawn]


def others_like(heads: list[Head], per_layer: int) -> list[list[Head]]:
    """Sets of other heads, as many in each layer, or as many as are left there.

    `DRAWS` of them are drawn; those that come twice are given once.
    """
    taken, rng = Counter(layer for layer, _ in heads), np.random.default_rng(0)
    drawn = set()
    for _ in range(DRAWS):
        some = []
        for layer, count in sorted(taken.items()):
            left = [h for h in range(per_layer) if (layer, h) not in heads]
            which = rng.choice(left, min(count, len(left)), replace=False)
            some += [(layer, int(head)) for head in sorted(which)]
        drawn.add(tuple(some))
    return [list(some) for some in sorted(drawn)]
