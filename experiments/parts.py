"""How few heads and MLPs keep the choices at forks, and by what path they act.

    python -m experiments.parts          # writes data/results/parts.json
    python -m experiments.parts dfs5     # this model again, the others as they are

One row a model, on 1,000 test mazes. `kept`: the accuracy at forks with so many heads
and MLPs kept, those that write most at forks of other mazes first, the others replaced
by what they write on average at tokens of their kind; `fewest`: the least share of them
that keeps nine tenths of the accuracy above a guess, with an interval over mazes, and
in random order. `direct`: of the effect of patching the three parts that write most
with what they write when the target is in another way, the share that is kept by their
direct path to the end; and of three random heads of the same layers.
"""

from collections.abc import Collection, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from experiments.attributed import OTHERS, candidates, most
from experiments.families import (
    mazes_of,
    networks,
    rounded,
    without,
    write_table,
)
from experiments.patched import MOST, pairs_right
from mazelib.dataset.stream import MazeSet
from mazelib.evidence.intervals import bootstrap_groups
from mazelib.internals.probes import groups_of
from mazelib.internals.roles import KINDS, roles_of
from mazelib.internals.ways import Forks
from mazelib.interventions import (
    Attribution,
    Network,
    Pairs,
    Prompts,
    Sender,
    attribute,
    targets_moved,
)
from mazelib.interventions.network import DTYPE, attended
from mazelib.interventions.paths import senders_patched
from mazelib.models import zoo
from mazelib.models.blocks import mlp

TABLE = "parts.json"
ASKED = ("dfs5", "dfs6-learned")
COUNT, AVERAGED = 1000, 500
"""Mazes to score, and mazes that means are taken over."""
SIZE = 64
"""Mazes that are run at a time."""
KEPT, ORDERS, AROUND = 0.9, 3, 3

Part = tuple[str, int, int]
"""An "mlp" or a "head", its layer, and its head or -1."""


def parts_of(found: Attribution) -> list[Part]:
    """The heads and MLPs, in the order of the attribution's columns."""
    rows = found.parts.iloc[candidates(found)]
    return list(rows.itertuples(index=False, name=None))


@torch.no_grad()
def run_with(
    network: Network, mazes: MazeSet, means: dict[Part, Tensor], kept: Collection[Part]
) -> tuple[Float[Tensor, "batch pos width"], dict[Part, Tensor], np.ndarray]:
    """The last stream where parts that are not kept write their mean, by kind of token.

    With it what each part writes, and each token's kind.
    """
    batch = mazes.encode(network.tokenizer)
    kinds = roles_of(batch, mazes, network.tokenizer).kind
    at = torch.from_numpy(kinds)
    x = network.embedded(
        Prompts(batch.ids, np.full(len(mazes), batch.ids.shape[1] - 1))
    )
    writes = {}
    for layer, block in enumerate(network.blocks):
        read = attended(*network.attention_inputs(layer, x))
        for head in range(network.heads):
            part = ("head", layer, head)
            writes[part] = read[:, head].clone()
            if part in means and part not in kept:
                read[:, head] = means[part][at]
        x = x + network.attention_output(layer, read)
        part = ("mlp", layer, -1)
        writes[part] = mlp(block, x, DTYPE)
        x = x + (
            means[part][at] if part in means and part not in kept else writes[part]
        )
    return x, writes, kinds


def means_of(
    network: Network, mazes: MazeSet
) -> dict[Part, Float[Tensor, "kinds width"]]:
    """What each head reads, and each MLP writes, on average at tokens of each kind."""
    total: dict[Part, Tensor] = {}
    count = torch.zeros(len(KINDS))
    for start in range(0, len(mazes), SIZE):
        _, writes, kinds = run_with(network, mazes[start : start + SIZE], {}, [])
        is_kind = torch.from_numpy(kinds[..., None] == np.arange(len(KINDS))).float()
        count += is_kind.sum((0, 1))
        for part, value in writes.items():
            summed = torch.einsum("bpk,bpd->kd", is_kind, value)
            total[part] = total.get(part, 0.0) + summed
    return {part: each / count.clamp(min=1)[:, None] for part, each in total.items()}


def forks_right(
    network: Network,
    mazes: MazeSet,
    forks: Forks,
    means: dict[Part, Tensor],
    kept: Collection[Part],
) -> np.ndarray:
    """At which forks the right way is the likeliest token, with some parts kept."""
    found = np.zeros(len(forks.right), bool)
    for start in range(0, len(mazes), SIZE):
        some = mazes[start : start + SIZE]
        x, _, _ = run_with(network, some, means, kept)
        rows = np.flatnonzero((forks.maze >= start) & (forks.maze < start + SIZE))
        batch = some.encode(network.tokenizer)
        first = batch.answer.argmax(1)  # the origin's token
        row = forks.maze[rows] - start
        column = first[row] + forks.steps.step[rows]
        with torch.no_grad():
            chosen = network.unembedded(x[row, column]).argmax(-1).numpy()
        found[rows] = chosen == forks.right[rows]
    return found


def fewest(
    network: Network,
    mazes: MazeSet,
    forks: Forks,
    means: dict[Part, Tensor],
    order: Sequence[Part],
    around: int = 0,
) -> tuple[list[int], np.ndarray]:
    """Which forks are right with more or fewer parts kept, the first of an order.

    The numbers of parts that were tried, and for each which forks are right. The least
    number that keeps enough is found by halving; so many around it are tried, too.
    """
    tried: dict[int, np.ndarray] = {}

    def right(count: int) -> np.ndarray:
        if count not in tried:
            kept = order[:count]
            tried[count] = forks_right(network, mazes, forks, means, kept)
        return tried[count]

    low, high = 0, len(order)
    needed = wanted(right(high), forks)
    right(low)
    while high - low > 1:
        middle = (low + high) // 2
        if right(middle).mean() >= needed:
            high = middle
        else:
            low = middle
    for count in range(max(0, high - around), min(len(order), high + around) + 1):
        right(count)
    counts = sorted(tried)
    return counts, np.stack([tried[count] for count in counts])


def wanted(whole: np.ndarray, forks: Forks, rows=slice(None)) -> float:
    """Nine tenths of the way from a guess to the accuracy with all parts."""
    guess = (1 / forks.table["options"].to_numpy()[rows]).mean()
    return guess + KEPT * (whole[rows].mean() - guess)


def least(counts: list[int], right: np.ndarray, forks: Forks, rows=slice(None)) -> int:
    """The least number of parts, of those tried, that keeps enough."""
    enough = right[:, rows].mean(1) >= wanted(right[-1], forks, rows)
    return counts[int(enough.argmax())]


def few(network: Network, mazes: MazeSet, others: MazeSet, found: Attribution) -> dict:
    """How few parts keep the accuracy at forks, chosen by attribution or by chance."""
    forks, means = Forks(mazes, network.tokenizer), means_of(network, others[:AVERAGED])
    parts, right = parts_of(found), found.difference > 0
    written = found.written[right][:, candidates(found)].sum(0)
    order = [parts[at] for at in np.argsort(-written)]
    counts, hits = fewest(network, mazes, forks, means, order, AROUND)
    ends = bootstrap_groups(
        forks.group, lambda rows: float(least(counts, hits, forks, rows)), resamples=500
    )
    rng, chance = np.random.default_rng(0), []
    for _ in range(ORDERS):
        drawn = [parts[at] for at in rng.permutation(len(parts))]
        chance.append(least(*fewest(network, mazes, forks, means, drawn), forks))
    share = np.array([least(counts, hits, forks), *ends]) / len(parts)
    return {
        "kept": {str(n): rounded(h.mean()) for n, h in zip(counts, hits, strict=True)},
        "fewest": rounded(share),
        "by chance": rounded(np.array(chance) / len(parts)),
        "order": [list(part) for part in order],
        "mazes": len(np.unique(forks.group)),
    }


def senders(found: Attribution, chosen: Int[np.ndarray, "some"]) -> list[Sender]:
    """Columns of an attribution as what writes."""
    rows = found.parts.iloc[chosen].itertuples(index=False, name=None)
    return [
        Sender(kind, layer, None if head < 0 else head) for kind, layer, head in rows
    ]


def kept_directly(network: Network, pairs: Pairs, some: list[Sender]):
    """A function of rows: the direct path's share of the effect of some senders."""
    effects = senders_patched(network, pairs, some, noising=True)

    def share(rows) -> float:
        whole, direct = (
            effects.recovery(way, rows=rows) for way in ("whole", "direct")
        )
        return float(direct / whole)

    return share


def direct(network: Network, mazes: MazeSet, found: Attribution) -> dict:
    """How much of what the best writers do they do by their direct path."""
    pairs = pairs_right(network, mazes, targets_moved, COUNT)
    group, best = groups_of(mazes)[pairs.maze], most(found, found.difference > 0)
    share = kept_directly(network, pairs, senders(found, best))
    ends = bootstrap_groups(group, share, resamples=500)
    rng = np.random.default_rng(0)
    layers = found.parts["layer"].to_numpy()[best]
    drawn = [Sender("head", int(at), int(rng.integers(network.heads))) for at in layers]
    everything = slice(None)
    return {
        "parts": [str(sender) for sender in senders(found, best)],
        "share": rounded([share(everything), *ends]),
        "chance": rounded(kept_directly(network, pairs, drawn)(everything)),
        "n": len(pairs),
        "mazes": len(np.unique(group)),
    }


def row(name: str, mazes: MazeSet, others: MazeSet) -> dict:
    """All that is measured of one model."""
    network, some = Network(zoo.load(name)), mazes[:COUNT]
    found = attribute(network, others, "fork")
    return {
        "model": name,
        "few": few(network, some, others, found),
        "direct": direct(network, mazes, found),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all models, or those that are named, and write the table."""

    def asked_of(family: str) -> tuple[MazeSet, ...]:
        mazes = mazes_of(family, MOST * COUNT)
        others = without(mazes_of(family, COUNT, start=OTHERS), mazes)
        return mazes, others

    known = networks(untrained=False, families=ASKED)
    write_table(__doc__, TABLE, known, arguments, asked_of, row, n=COUNT)


if __name__ == "__main__":
    main()
