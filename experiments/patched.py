"""Where and when a fork is decided: one run's values put into another's, by place.

    python -m experiments.patched          # writes data/results/patched.json
    python -m experiments.patched dfs5     # this model again, the others as they are

One row a model, for two kinds of minimal pairs at forks: `target`, the target moved
into another way, and `passage`, one passage of the list exchanged so that another way
is right. Pairs are kept if the model answers both rightly, one a maze. `recovery`: how
far the mean logit difference moves from the corrupted run to the clean one, by part of
the network, layer and place; `noised`: the same the other way round, of the stream.
`turned`: at what share of forks the choice becomes the clean run's when the stream is
patched. `carried`: that share at the target's token, after the layer that does most on
other mazes, with an interval over mazes.
"""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool

from experiments.families import (
    mazes_of,
    mean_over,
    networks,
    rounded,
    without,
    write_table,
)
from mazelib.dataset.stream import MazeSet
from mazelib.internals.probes import groups_of
from mazelib.internals.roles import ENTRY
from mazelib.interventions import (
    Effects,
    Network,
    Pairs,
    edges_swapped,
    sweep,
    targets_moved,
)
from mazelib.interventions.patching import PARTS, Said, in_parts, runs_of, said
from mazelib.models import zoo

TABLE = "patched.json"
FAMILIES = ("dfs5", "dfs6-learned")
COUNT, CHOOSE, PASSAGES, OTHERS = 1000, 300, 400, 50_000
"""Pairs to score, pairs to choose a layer on, pairs with another passage, at most; and
where the mazes begin that the layer is chosen on."""
MOST = 2
"""Mazes that are looked through for each pair that is wanted."""

Make = Callable[..., Pairs]


def unpatched(network: Network, pairs: Pairs) -> tuple[Said, Said]:
    """What is said after the clean prompts, and after the corrupted ones."""

    def some(pairs: Pairs, _: np.ndarray) -> Effects:
        clean, corrupted = runs_of(network, pairs, noising=True)
        return Effects(said(clean.logits, pairs), said(corrupted.logits, pairs), {})

    return in_parts(pairs, some)[:2]


def pairs_right(network: Network, mazes: MazeSet, make: Make, count: int) -> Pairs:
    """So many pairs that the network answers rightly, both of them."""
    pairs = make(mazes, network.tokenizer, np.random.default_rng(0))
    clean, corrupted = unpatched(network, pairs)
    both = clean.is_clean & corrupted.is_corrupted
    return pairs.those(np.flatnonzero(both)[:count])


def entry_places(pairs: Pairs) -> dict[str, Bool[np.ndarray, "pairs pos"]]:
    """The places of pairs whose list differs in an entry: that entry's tokens apart."""
    places, columns = pairs.places(), pairs.differs.shape[1]
    own = pairs.roles.entry[np.arange(len(pairs)), pairs.changed_entry]
    for at, name in enumerate(ENTRY):
        is_own = np.arange(columns) == own[:, at, None]
        places[f"changed {name}"] = is_own
        places[name] = places[name] & ~is_own
    return places


def maps(effects: Effects, places: Sequence[str]) -> dict[str, dict[str, list]]:
    """The recoveries of each part at each place."""
    parts = dict.fromkeys(part for part, _ in effects.patched)
    return {
        part: {place: rounded(effects.recovery(part, place)) for place in places}
        for part in parts
    }


def turned(effects: Effects, places: Sequence[str]) -> dict[str, list]:
    """At what share of forks the choice becomes the clean run's, by layer and place."""
    return {
        place: rounded(effects.patched["stream", place].is_clean.mean(-1))
        for place in places
    }


def facts(network: Network, pairs: Pairs, places: dict, mazes: MazeSet) -> dict:
    """What is kept of one kind of pairs, apart from what is chosen on others."""
    names = list(places)
    effects = sweep(network, pairs, places)
    noised = sweep(network, pairs, places, ("stream",), noising=True)
    return {
        "n": len(pairs),
        "mazes": len(np.unique(groups_of(mazes)[pairs.maze])),
        "recovery": maps(effects, names),
        "noised": maps(noised, names)["stream"],
        "turned": turned(effects, names),
    }


def carried(network: Network, pairs: Pairs, others: Pairs, mazes: MazeSet) -> dict:
    """How many choices follow the stream at the target's token, after a layer."""
    shares = []
    for some in (others, pairs):
        target = {"target": some.places()["target"]}
        effects = sweep(network, some, target, ("stream",))
        shares.append(effects.patched["stream", "target"].is_clean)
    layer = 1 + int(shares[0][1:].mean(1).argmax())  # before the first it is all
    hits = shares[1][layer]
    group = groups_of(mazes)[pairs.maze]
    return {"layer": layer, "share": mean_over(hits, group)}


def row(name: str, mazes: MazeSet, others: MazeSet) -> dict:
    """All that is measured of one model."""
    network = Network(zoo.load(name))
    pairs = pairs_right(network, mazes, targets_moved, COUNT)
    chosen = pairs_right(network, others, targets_moved, CHOOSE)
    swapped = pairs_right(network, mazes, edges_swapped, PASSAGES)
    return {
        "model": name,
        "parts": list(PARTS),
        "target": facts(network, pairs, pairs.places(), mazes),
        "carried": carried(network, pairs, chosen, mazes),
        "passage": facts(network, swapped, entry_places(swapped), mazes),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Patch all models, or those that are named, and write the table."""

    def asked_of(family: str) -> tuple[MazeSet, ...]:
        mazes = mazes_of(family, MOST * COUNT)
        others = without(mazes_of(family, MOST * CHOOSE, start=OTHERS), mazes)
        return mazes, others

    known = networks(untrained=False, families=FAMILIES)
    write_table(__doc__, TABLE, known, arguments, asked_of, row, n=COUNT)


if __name__ == "__main__":
    main()
