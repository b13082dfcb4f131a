"""Two arrows as a circuit: do naming and telling heads act through the finding heads?

    python -m experiments.arrows          # writes data/results/arrows.json
    python -m experiments.arrows dfs5     # this model again, the others as they are

Chapter 09 finds heads by what they attend to: *finding* heads, from a path's token to
the entries that name its cell; *naming* heads, from an entry's semicolon to its first
cell; *telling* heads, to the other cell. Its account: naming heads are read by the
finding heads' keys, telling heads by their values. One row a model: with the edges of
that account alone cut (`mazelib.interventions.circuits`), how much of the lead is lost
that a passage beside the path has where the list names it? Along what is cut flows what
flows where it does not (pairs as in `experiments.edited`). `keys`, `values`, `both`,
with intervals over mazes; `others`, the same for as many other heads of the senders'
layers, their mean and the most of several draws. `all keys`, `all values`: with all
edges from earlier heads to the finding heads' keys, or values, cut. `by MLPs`: with
those cut from the naming heads to MLPs, from the telling heads to MLPs, and from MLPs
to the finding heads' keys and values.
"""

from collections.abc import Collection, Sequence

import numpy as np

from experiments.edited import pairs_kept
from experiments.families import (
    mazes_of,
    networks,
    rounded,
    without,
    write_table,
)
from experiments.patched import OTHERS
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.internals.ablation import Head
from mazelib.internals.attention import HeadScores, head_scores
from mazelib.internals.head_sets import (
    HALF,
    QUARTER,
    WITHIN,
    above,
    others_like,
)
from mazelib.internals.lens import open_lens
from mazelib.internals.probes import groups_of
from mazelib.interventions import Graph, Network, circuit_effects
from mazelib.interventions.circuits import Edges
from mazelib.models import zoo

TABLE = "arrows.json"
ASKED = ("dfs5", "dfs6-learned")
MAZES, COUNT, CHOSEN = 3000, 400, 300
"""Mazes that are looked through, pairs at most, and other mazes that heads are chosen
on."""


def roles_of_heads(scores: HeadScores) -> dict[str, list[Head]]:
    """The heads of the account: finding, and those before the last of them."""
    finding = above(scores, ["entries"], QUARTER)
    last = max((layer for layer, _ in finding), default=0)
    found = {"naming": WITHIN[:1], "telling": WITHIN[1:]}
    return {"finding": finding} | {
        name: [head for head in above(scores, looks, HALF) if head[0] < last]
        for name, looks in found.items()
    }


def cut(
    graph: Graph,
    senders: Collection[Head],
    readers: Collection[Head],
    kind: str,
    sends: str = "head",
) -> Edges:
    """All edges but those from some heads, or MLPs, to the keys ("k") of some others.

    Or to their values ("v"), or to MLPs ("mlp"). An MLP is a layer and -1.
    """
    writes = np.array([(w[0] == sends) and w[1:] in senders for w in graph.writers])
    reads = np.array([(r[0] == kind) and r[1:] in readers for r in graph.readers])
    return graph.edges & ~(writes[:, None] & reads)


def circuits_of(
    graph: Graph, roles: dict[str, list[Head]], heads: int
) -> dict[object, Edges]:
    """The network without the account's edges, and without others like them."""
    finding, every = roles["finding"], [w[1:] for w in graph.writers if w[0] == "head"]
    sends = {"keys": ("naming", "k"), "values": ("telling", "v")}
    found: dict[object, Edges] = {}
    for name, (role, kind) in sends.items():
        found[name] = cut(graph, roles[role], finding, kind)
        found["all", name] = cut(graph, every, finding, kind)
        for number, others in enumerate(others_like(roles[role], heads)):
            found["others", name, number] = cut(graph, others, finding, kind)
    mlps = [w[1:] for w in graph.writers if w[0] == "mlp"]
    for role in ("naming", "telling"):
        found["by MLPs", f"from {role}"] = cut(graph, roles[role], mlps, "mlp")
    for name, (_, kind) in sends.items():
        found["by MLPs", f"to {name}"] = cut(graph, mlps, finding, kind, "mlp")
    return found | {"both": found["keys"] & found["values"]}


def row(name: str, mazes: MazeSet, others: MazeSet) -> dict:
    """All that is measured of one model."""
    trained = zoo.load(name)
    roles = roles_of_heads(head_scores(open_lens(trained), others))
    network = Network(trained)
    pairs = pairs_kept(network, mazes, "added")[0].those(slice(COUNT)).turned
    circuits = circuits_of(Graph.of(network), roles, network.heads)
    effects = circuit_effects(network, pairs, circuits)
    group = groups_of(mazes)[pairs.maze]

    def lost(circuit: object, rows=slice(None)) -> float:
        return 1 - float(effects.recovery(circuit, rows=rows))

    found = {"model": name, "n": len(pairs), "mazes": len(np.unique(group))}
    found["heads"] = {
        role: [list(head) for head in some] for role, some in roles.items()
    }
    for circuit in ("keys", "values", "both"):
        ends = bootstrap_groups(
            group, lambda rows, circuit=circuit: lost(circuit, rows), resamples=500
        )
        found[circuit] = rounded([lost(circuit), *ends])
    for circuit in ("keys", "values"):
        drawn = [lost(key) for key in circuits if key[:2] == ("others", circuit)]
        found[f"others' {circuit}"] = rounded([np.mean(drawn), max(drawn)])
        found[f"all {circuit}"] = rounded(lost(("all", circuit)))
    by_mlps = [key for key in circuits if key[0] == "by MLPs"]
    return found | {"by MLPs": {key[1]: rounded(lost(key)) for key in by_mlps}}


def main(arguments: Sequence[str] | None = None) -> None:
    """Cut the account's edges in all models, or those named, and write the table."""

    def asked_of(family: str) -> tuple[MazeSet, ...]:
        mazes = mazes_of(family, MAZES)
        others = without(mazes_of(family, CHOSEN, start=OTHERS), mazes)
        return mazes, others

    known = networks(untrained=False, families=ASKED)
    write_table(__doc__, TABLE, known, arguments, asked_of, row, n=COUNT)


if __name__ == "__main__":
    main()
