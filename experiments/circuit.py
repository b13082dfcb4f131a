"""Circuits at forks: how few edges keep the choice, and are they the same elsewhere?

    python -m experiments.circuit          # writes data/results/circuit.json
    python -m experiments.circuit dfs5     # this model again, the others as they are

One row a model, of pairs whose target lies in one way of a fork or in another
(`experiments.patched`). Edges are ranked on other mazes. `best`: the faithfulness of
the circuits of `mazelib.interventions.circuits.FRACTIONS` of all edges, with the areas
CPR and CMD and their intervals over mazes; `random`: of as many edges in random order,
the mean of several orders; by the names of other trainings: of their edges, heads of a
layer matched so that the 5% of best edges overlap most. `overlap`: how much those of
two halves of the mazes do (Jaccard), over twenty ways to halve them; `overlap with
others`: that of each other training. `elsewhere`: faithfulness of some circuits by
lookahead, and at forks of other generators' mazes. `strongest`: the 5% of best edges,
with their scores.
"""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
from jaxtyping import Bool, Float
from tqdm import tqdm

from experiments.families import (
    FAMILIES,
    by_family,
    keep,
    mazes_of,
    networks,
    rounded,
    without,
)
from experiments.patched import MOST, pairs_right
from mazelib.behaviour.forks import fork_table
from mazelib.commands.flags import names_asked
from mazelib.dataset.stream import MazeSet, MazeStream, StreamConfig
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.evidence.threads import one_thread
from mazelib.internals.probes import groups_of
from mazelib.interventions import (
    Graph,
    Network,
    Pairs,
    circuit_effects,
    edge_scores,
    targets_moved,
)
from mazelib.interventions.circuits import FRACTIONS, Node, areas
from mazelib.interventions.patching import Effects
from mazelib.mazes.generators import MazeConfig
from mazelib.models import zoo

TABLE = "circuit.json"
ASKED = ("dfs5", "dfs6-learned")
COUNT, RANKED, OTHERS, ELSEWHERE = 1000, 500, 50_000, 200
"""Pairs to score and to rank edges on, where the mazes of the latter begin, and pairs
of each other generator."""
CHUNK, HALVINGS, ORDERS = 25, 20, 5
TOP = 0.05
"""The share of edges whose overlap is asked."""
SOME = (0.05, 0.1, 0.2)
GENERATORS = ("kruskal", "prim", "wilson")
LOOKAHEADS = ((1, 1), (2, 3), (4, 99))

Scores = Float[np.ndarray, "writers readers"]
Edges = Bool[np.ndarray, "writers readers"]


def chunk_scores(network: Network, pairs: Pairs) -> Float[np.ndarray, "chunks w r"]:
    """The edges' scores on some pairs after the other, of equal number."""
    count = len(pairs) // CHUNK * CHUNK
    rows = np.random.default_rng(0).permutation(len(pairs))[:count]
    chunks = rows.reshape(-1, CHUNK)
    return np.stack([edge_scores(network, pairs.those(some)) for some in chunks])


def top(graph: Graph, scores: Scores, share: float = TOP) -> Edges:
    """The circuit of a share of all edges."""
    return graph.best(scores, max(1, round(share * int(graph.edges.sum()))))


def overlap(one: Edges, other: Edges) -> float:
    """Edges that two circuits share, over those of either (Jaccard)."""
    return float((one & other).sum() / (one | other).sum())


def halved(graph: Graph, chunks: Float[np.ndarray, "chunks w r"]) -> list[float]:
    """The overlap of circuits of two halves of the mazes: mean, least and most."""
    rng, found = np.random.default_rng(0), []
    for _ in range(HALVINGS):
        order = rng.permutation(len(chunks))
        halves = np.array_split(order, 2)
        found.append(overlap(*(top(graph, chunks[half].mean(0)) for half in halves)))
    return rounded([np.mean(found), min(found), max(found)])


def renamed(graph: Graph, edges: np.ndarray, heads: Mapping[int, Sequence[int]]):
    """An array of edges with the heads of each layer in another order."""

    def order(nodes: Sequence[Node]) -> list[int]:
        place = {node: at for at, node in enumerate(nodes)}
        return [
            place[kind, layer, heads[layer][head] if head >= 0 else head]
            for kind, layer, head in nodes
        ]

    return edges[np.ix_(order(graph.writers), order(graph.readers))]


def matched(
    graph: Graph, own: Edges, scores: Scores, heads: int, layers: int
) -> Scores:
    """Another training's scores, its heads named so that the best edges overlap most.

    Layer by layer, all orders of its heads tried, until none is better.
    """
    found = {layer: tuple(range(heads)) for layer in range(-1, layers)}
    other, best = top(graph, scores), -1.0
    while True:
        before = best
        for layer in range(layers):
            for order in permutations(range(heads)):
                tried = found | {layer: order}
                gain = overlap(own, renamed(graph, other, tried))
                if gain > best:
                    best, found = gain, tried
        if best == before:
            return renamed(graph, scores, found)


def curve_of(effects: Effects, name: str, rows=slice(None)) -> np.ndarray:
    """The faithfulness of the circuits of one order of edges."""
    return np.array([effects.recovery(name, x, rows=rows) for x in FRACTIONS])


def curve_facts(effects: Effects, name: str, group: np.ndarray) -> dict:
    """A curve, and its areas with intervals over mazes."""
    found = {"curve": rounded(curve_of(effects, name))}
    for area in ("CPR", "CMD"):

        def measured(rows, area=area) -> float:
            return float(areas(curve_of(effects, name, rows))[area])

        ends = bootstrap_groups(group, measured, resamples=200)
        found[area] = rounded([measured(slice(None)), *ends])
    return found


def curves(
    network: Network, pairs: Pairs, orders: Mapping[str, Scores], group: np.ndarray
) -> dict[str, dict]:
    """The curves of several orders of edges, and of random ones."""
    graph, rng = Graph.of(network), np.random.default_rng(0)
    chance = {f"random {n}": rng.random(graph.edges.shape) for n in range(ORDERS)}
    every = {**orders, **chance}
    circuits = {
        (name, x): top(graph, scores, x)
        for name, scores in every.items()
        for x in FRACTIONS
    }
    effects = circuit_effects(network, pairs, circuits)
    found = {name: curve_facts(effects, name, group) for name in orders}
    mean = np.mean([curve_of(effects, name) for name in chance], 0)
    area = {name: rounded(value) for name, value in areas(mean).items()}
    return {**found, "random": {"curve": rounded(mean), **area}}


def elsewhere(
    network: Network, pairs: Pairs, mazes: MazeSet, scores: Scores
) -> dict[str, list]:
    """The faithfulness of some circuits on other mazes, and by lookahead."""
    graph = Graph.of(network)
    circuits = {x: top(graph, scores, x) for x in SOME}
    effects = circuit_effects(network, pairs, circuits)
    table = fork_table(mazes).set_index(["maze", "step"])["lookahead"]
    look = table.loc[list(zip(pairs.maze, pairs.step, strict=True))].to_numpy()
    found = {}
    for low, high in LOOKAHEADS:
        rows = np.flatnonzero((look >= low) & (look <= high))
        values = [effects.recovery(x, rows=rows) for x in SOME]
        found[f"lookahead {low} to {high}"] = [len(rows), *rounded(values)]
    for generator in GENERATORS:
        stream = StreamConfig(MazeConfig(generator, mazes.n), split="test")
        others = MazeStream(stream).take(0, 2 * MOST * ELSEWHERE)
        some = pairs_right(network, others, targets_moved, ELSEWHERE)
        other = circuit_effects(network, some, circuits)
        found[generator] = [len(some), *rounded([other.recovery(x) for x in SOME])]
    return found


def scores_of(name: str, family: str, mazes: MazeSet) -> tuple[Network, Scores]:
    """A model, and its edges' scores on the mazes that edges are ranked on."""
    network = Network(zoo.load(name))
    others = without(mazes_of(family, MOST * RANKED, start=OTHERS), mazes)
    pairs = pairs_right(network, others, targets_moved, RANKED)
    return network, edge_scores(network, pairs)


def row(name: str, mazes: MazeSet, ranked: dict[str, tuple[Network, Scores]]) -> dict:
    """All that is measured of one model. ranked: its own family's."""
    network, scores = ranked[name]
    graph = Graph.of(network)
    pairs = pairs_right(network, mazes, targets_moved, COUNT)
    group = groups_of(mazes)[pairs.maze]
    own, size = top(graph, scores), (network.heads, network.layers)
    theirs = {
        other: matched(graph, own, found, *size)
        for other, (_, found) in ranked.items()
        if other != name
    }
    found = {"model": name, "n": len(pairs), "mazes": len(np.unique(group))}
    found |= {"edges": int(graph.edges.sum()), "fractions": list(FRACTIONS)}
    found |= curves(network, pairs, {"best": scores, **theirs}, group)
    found["overlap"] = halved(graph, chunk_scores(network, pairs))
    shared = [overlap(own, top(graph, each)) for each in theirs.values()]
    found["overlap with others"] = rounded(shared)
    found["elsewhere"] = elsewhere(network, pairs, mazes, scores)
    strongest = np.argwhere(own)[np.argsort(-np.abs(scores[own]))]
    found["strongest"] = [
        [*graph.writers[w], *graph.readers[r], rounded(scores[w, r])]
        for w, r in strongest
    ]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Find the circuits of all models, or of those named, and write the table."""
    one_thread()
    known = networks(untrained=False, families=ASKED)
    names = names_asked(__doc__, list(known), arguments)
    about = {"made_by": "python -m experiments.circuit", "n": COUNT}
    for family, some in by_family(names, known):
        mazes = mazes_of(family, MOST * COUNT)
        own = [name for name in FAMILIES[family] if name in known]
        ranked = {name: scores_of(name, family, mazes) for name in tqdm(own, "edges")}
        for name in tqdm(some, family):
            keep(TABLE, row(name, mazes, ranked), **about)


if __name__ == "__main__":
    main()
