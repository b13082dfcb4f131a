"""Circuits: which edges, from what writes to what reads, make the model's answer.

    graph = Graph.of(network)
    scores = edge_scores(network, pairs)             # [writers, readers]
    kept = graph.best(scores, 100)                   # the circuit of the 100 best edges
    circuit_effects(network, pairs, {"best": kept}).recovery("best")

A writer is the embedding, a head or an MLP; a reader a head's queries, keys or values,
an MLP, or the end. An edge is scored by edge attribution patching with integrated
gradients (Hanna et al., "Have faith in faithfulness", arXiv 2403.17806): the writer's
change from the corrupted run to the clean one times the gradient at the reader's input,
at inputs between the two. A circuit is run as in MIB (Mueller et al., arXiv
2504.13151): along its edges flows what it computes itself of the clean prompt, along
all others what flows in the corrupted run.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from mazelib.errors import MazelibError
from mazelib.interventions.network import DTYPE, Network, Run, attended_on
from mazelib.interventions.pairs import Pairs
from mazelib.interventions.patching import (
    Effects,
    batches,
    difference,
    first_changed,
    in_parts,
    runs_of,
    said,
)
from mazelib.models.blocks import mlp

POINTS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""How far from the corrupted input to the clean one gradients are taken."""
FRACTIONS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""The shares of all edges that a curve of faithfulness is drawn over, as in MIB."""

Node = tuple[str, int, int]
"""What it is, its layer and its head; -1 where it has none."""
Edges = Bool[np.ndarray, "writers readers"]


@dataclass(frozen=True)
class Graph:
    """All writers and readers of a network, in order, and the edges there can be."""

    writers: tuple[Node, ...]
    readers: tuple[Node, ...]
    edges: Edges

    @classmethod
    def of(cls, network: Network) -> "Graph":
        """That of a network: a reader reads all that is written before it."""
        heads, writers, readers = range(network.heads), [("embedding", -1, -1)], []
        before: list[int] = []
        for layer in range(network.layers):
            own = [(kind, layer, head) for kind in "qkv" for head in heads]
            readers += own
            before += [len(writers)] * len(own)
            writers += [("head", layer, head) for head in heads]
            readers.append(("mlp", layer, -1))
            before.append(len(writers))
            writers.append(("mlp", layer, -1))
        readers.append(("logits", -1, -1))
        before.append(len(writers))
        edges = np.arange(len(writers))[:, None] < np.array(before)
        return cls(tuple(writers), tuple(readers), edges)

    def best(self, scores: Float[np.ndarray, "writers readers"], count: int) -> Edges:
        """The edges with the largest scores, whatever their sign.

        Raises MazelibError for more than there are.
        """
        if not 0 <= count <= self.edges.sum():
            raise MazelibError(
                f"{count} edges asked for, but the network has {self.edges.sum()}"
            )
        size = np.where(self.edges, np.abs(scores), -1)
        kept = np.zeros(self.edges.size, bool)
        kept[np.argsort(-size, axis=None, kind="stable")[:count]] = True
        return kept.reshape(self.edges.shape)

    def drawn(self, count: int, rng: np.random.Generator) -> Edges:
        """As many edges, drawn by chance."""
        return self.best(rng.random(self.edges.shape), count)


def circuit_effects(
    network: Network, pairs: Pairs, circuits: Mapping[Hashable, Edges]
) -> Effects:
    """What the network says with some of its edges alone, for each of some circuits.

    Their `recovery` is the circuit's faithfulness: 0 with no edges, 1 with all.
    """

    def some(pairs: Pairs, _: np.ndarray) -> Effects:
        base, source = runs_of(network, pairs, noising=False)
        found = {}
        for name, kept in circuits.items():
            with torch.no_grad():
                logits = through(network, base, source, pairs, kept)
            found[name] = said(logits, pairs)
        return Effects(said(base.logits, pairs), said(source.logits, pairs), found)

    return in_parts(pairs, some)


def edge_scores(
    network: Network, pairs: Pairs, points: Sequence[float] = POINTS
) -> Float[np.ndarray, "writers readers"]:
    """What each edge does for the logit difference, to first order; 0 for no edge.

    The sum over tokens, the mean over pairs. points: where between the corrupted input
    (0) and the clean one (1) the gradient is taken; the mean over these.
    """
    graph, total = Graph.of(network), 0.0
    for rows in batches(pairs):
        some = pairs.those(rows)
        base, source = runs_of(network, some, noising=False)
        written = changes(network, base, source, first_changed(some))
        for point in points:
            inputs: list[Tensor] = []
            logits = through(network, base, source, some, graph.edges, point, inputs)
            slopes = torch.autograd.grad(difference(logits, some).sum(), inputs)
            parts = [torch.einsum("wbpd,rbpd->wr", written, slope) for slope in slopes]
            total = total + torch.cat(parts, 1)
    mean = total / (len(points) * len(pairs))
    return np.where(graph.edges, mean.numpy(), 0)


@torch.no_grad()
def changes(
    network: Network, base: Run, source: Run, start: int
) -> Float[Tensor, "writers pairs suffix width"]:
    """What each writer writes in the source run less the base run, from a column on."""
    found = [(source.streams[0] - base.streams[0])[None, :, start:]]
    for layer in range(network.layers):
        read = (source.read[layer] - base.read[layer])[:, :, start:]
        found.append(network.written(layer, read).transpose(0, 1))
        found.append((source.mlps[layer] - base.mlps[layer])[None, :, start:])
    return torch.cat(found)


def through(
    network: Network,
    base: Run,
    source: Run,
    pairs: Pairs,
    kept: Edges,
    point: float = 1.0,
    inputs: list[Tensor] | None = None,
) -> Float[Tensor, "pairs id"]:
    """The logits when what flows along some edges is computed anew, from the embedding.

    point: how much of the way the embedding goes from the base run to the source run.
    inputs: a list that is filled with what the readers see, `[readers, pairs, suffix,
    width]`, those of a layer's heads in one, for gradients.
    """
    start = first_changed(pairs)
    flow = Flow(kept, start, [], inputs)
    embedded = source.streams[0] - base.streams[0]
    flow.written.append((point * embedded)[None, :, start:])
    for layer, block in enumerate(network.blocks):
        heads = network.heads
        own = flow.seen(base.streams[layer], 3 * heads).unflatten(0, (3, heads))
        split = network.split_attention_inputs(layer, own, start)
        query, key, value = (part[None] for part in split)
        shared = (kept_of[layer][:, :, :start] for kept_of in (base.keys, base.values))
        read = attended_on(query, *shared, key, value)[0]
        more = read - base.read[layer][:, :, start:]
        flow.written.append(network.written(layer, more).transpose(0, 1))
        middle = flow.seen(base.streams[layer + 1] - base.mlps[layer], 1)
        added = mlp(block, middle, DTYPE) - base.mlps[layer][:, start:]
        flow.written.append(added)
    row, asked = torch.arange(len(pairs)), torch.from_numpy(pairs.clean.end) - start
    return network.unembedded(flow.seen(base.streams[-1], 1)[0, row, asked])


class Flow:
    """What flows along some edges: what has been written, and how many have read.

    written: each writer's change from the base run. inputs: filled with what readers
    see, if it is there.
    """

    def __init__(
        self,
        kept: Edges,
        start: int,
        written: list[Float[Tensor, "writers pairs suffix width"]],
        inputs: list[Tensor] | None,
    ):
        self.edges = torch.from_numpy(kept).float()
        self.start, self.written, self.inputs, self.read = start, written, inputs, 0

    def seen(
        self, stream: Float[Tensor, "pairs pos width"], readers: int
    ) -> Float[Tensor, "readers pairs suffix width"]:
        """What the next readers see: the base run's stream, and what flows to each."""
        change = torch.cat(self.written)
        along = self.edges[: len(change), self.read : self.read + readers]
        self.read += readers
        flowing = torch.einsum("wr,wbpd->rbpd", along, change)
        found = stream[:, self.start :] + flowing
        if self.inputs is not None:
            self.inputs.append(found.requires_grad_())
        return found


def faithfulness(
    network: Network, pairs: Pairs, scores: Float[np.ndarray, "writers readers"]
) -> Float[np.ndarray, "fractions"]:
    """How much of the clean answer's lead growing circuits keep (`FRACTIONS`)."""
    graph = Graph.of(network)
    sizes = {x: max(1, round(x * graph.edges.sum())) for x in FRACTIONS}
    circuits = {x: graph.best(scores, size) for x, size in sizes.items()}
    effects = circuit_effects(network, pairs, circuits)
    return np.array([effects.recovery(x) for x in FRACTIONS])


def areas(curve: Float[np.ndarray, "*some fractions"]) -> dict[str, np.ndarray]:
    """What MIB calls CPR and CMD: the areas under a curve, and between it and 1.

    The first is high where a circuit performs well; the second low where it does what
    the whole network does. By the trapezoidal rule, from 0 edges with a faithfulness of
    0 to all.
    """
    share = np.array([0.0, *FRACTIONS])
    whole = np.concatenate([np.zeros((*curve.shape[:-1], 1)), curve], -1)
    heights = {"CPR": whole, "CMD": np.abs(1 - whole)}
    return {name: np.asarray(np.trapezoid(y, share)) for name, y in heights.items()}
