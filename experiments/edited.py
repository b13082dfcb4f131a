"""An entry's representation edited: through a wall, or not through a passage?

    python -m experiments.edited          # writes data/results/edited.json
    python -m experiments.edited dfs5     # this model again, the others as they are

One row a model, for two kinds of minimal pairs whose lists differ in one entry
(`mazelib.interventions.passages`): `added`, a passage through the wall beside the path,
and `removed`, the passage to the path's next cell. Pairs are kept if the model, asked
with the other list, goes through the wall, or no longer to that cell. Then the prompt
stays as it is, and the residual stream at some tokens after a layer is put in from the
run with the other list: at the entry's four tokens, at one of them, at those of the
next entry, or at all others but the last. By layer, the share of pairs for which the
model then goes through the wall, or refuses the passage; `entry` for the four tokens,
with intervals over mazes. Before the first layer it is 1, since nothing else differs.
`by side`: at one of the entry's tokens, apart for entries that name the cell where the
path stands first or second.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool

from experiments.families import (
    mazes_of,
    mean_over,
    networks,
    rounded,
    write_table,
)
from experiments.patched import Make, unpatched
from mazelib.dataset.stream import MazeSet
from mazelib.internals.probes import groups_of
from mazelib.internals.roles import ENTRY
from mazelib.interventions import (
    Network,
    Pairs,
    passages_added,
    passages_removed,
    sweep,
)
from mazelib.interventions.patching import Said
from mazelib.models import zoo

TABLE = "edited.json"
ASKED = ("dfs5", "dfs6-learned")
MAZES, COUNT = 3000, 500
"""Mazes that are looked through, and pairs that are kept of each kind, at most."""

Places = dict[str, Bool[np.ndarray, "pairs pos"]]


def goes_through(said: Said) -> np.ndarray:
    """Does the choice go through the wall?"""
    return said.is_corrupted


def refuses(said: Said) -> np.ndarray:
    """Does the choice go elsewhere than through the passage?"""
    return ~said.is_clean


KINDS: dict[str, tuple[Make, Callable[[Said], np.ndarray]]] = {
    "added": (passages_added, goes_through),
    "removed": (passages_removed, refuses),
}


def pairs_kept(network: Network, mazes: MazeSet, kind: str) -> tuple[Pairs, int]:
    """The pairs whose list makes the difference, and of how many they are."""
    make, changes = KINDS[kind]
    pairs = make(mazes, network.tokenizer, np.random.default_rng(0))
    clean, other = unpatched(network, pairs)
    kept = clean.is_clean & changes(other)
    return pairs.those(np.flatnonzero(kept)[:COUNT]), int(clean.is_clean.sum())


def places(pairs: Pairs) -> Places:
    """The tokens of the changed entry, together and apart, of the next, and the rest.

    Where the changed entry is the list's last, the next is the one before it.
    """
    rows, columns = np.arange(len(pairs)), np.arange(pairs.differs.shape[1])
    last = pairs.roles.entry.shape[1] - 1
    changed = pairs.changed_entry
    beside = np.where(changed == last, last - 1, changed + 1)

    def tokens(entry: np.ndarray) -> np.ndarray:
        return columns == pairs.roles.entry[rows, entry].T[..., None]

    own, asked = tokens(changed), columns == pairs.clean.end[:, None]
    return {
        "entry": own.any(0),
        **dict(zip(ENTRY, own, strict=True)),
        "next entry": tokens(beside).any(0),
        "all others": pairs.inside & ~own.any(0) & ~asked,
    }


def names_it_first(pairs: Pairs, kind: str) -> Bool[np.ndarray, "pairs"]:
    """Does the entry name the cell where the path stands as its first?

    The entry that is added, or the one that is removed.
    """
    rows = np.arange(len(pairs))
    ids = (pairs.corrupted if kind == "added" else pairs.clean).ids
    first = ids[rows, pairs.roles.first[rows, pairs.changed_entry]]
    return first == pairs.clean.ids[rows, pairs.clean.end]


def row(name: str, mazes: MazeSet) -> dict:
    """All that is measured of one model."""
    network, found = Network(zoo.load(name)), {"model": name}
    for kind, (_, changes) in KINDS.items():
        pairs, of = pairs_kept(network, mazes, kind)
        effects = sweep(network, pairs, places(pairs), ("stream",), noising=True)
        group = groups_of(mazes)[pairs.maze]
        by = {place: changes(x) for (_, place), x in effects.patched.items()}
        is_first = names_it_first(pairs, kind)
        sides = {"first": is_first, "second": ~is_first}
        found[kind] = {
            "n": len(pairs),
            "mazes": len(np.unique(group)),
            "of": of,
            "entry": [mean_over(hits, group) for hits in by["entry"]],
            "by place": {place: rounded(hits.mean(-1)) for place, hits in by.items()},
            "by side": {
                side: {at: rounded(by[at][:, here].mean(-1)) for at in ENTRY}
                for side, here in sides.items()
            },
        }
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Edit the entries of all models, or those named, and write the table."""

    def asked_of(family: str) -> tuple[MazeSet, ...]:
        return (mazes_of(family, MAZES),)

    known = networks(untrained=False, families=ASKED)
    write_table(__doc__, TABLE, known, arguments, asked_of, row, n=COUNT)


if __name__ == "__main__":
    main()
