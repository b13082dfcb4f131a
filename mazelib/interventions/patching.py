"""Activation patching: what one run holds somewhere, put in its place in another.

    pairs = targets_moved(mazes, network.tokenizer, rng)
    effects = sweep(network, pairs, pairs.places())
    effects.recovery("stream", "target")          # [layers + 1], 0 to 1
    effects.recovery("heads", "asked")            # [layers, heads]

For each layer, kind of token and part of the network: the base run is gone through with
the source run's values there, and the rest follows from them (Meng et al., "Locating
and editing factual associations", arXiv 2202.05262). Denoising puts values of the clean
run into the corrupted one, noising those of the corrupted run into the clean one. What
a patch does is told by the difference of two logits, the clean answer's less the
corrupted one's, and by the clean answer's probability.

All parts whose change first shows before the same layer go through the rest of the
network together; only the pairs that differ at a place are run, and only their tokens
from the first changed one on. benchmarks/patching.py compares with
transformer_lens.patching.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mazelib.errors import MazelibError
from mazelib.interventions.network import DTYPE, Network, Run, attended
from mazelib.interventions.pairs import Pairs
from mazelib.models.blocks import mlp

MOST = 64
"""Pairs that are run at a time."""
PARTS = ("stream", "attention", "mlp", "heads", "patterns")
"""What can be patched: the residual stream (before the first layer, and after each),
what attention or the MLP of a layer writes, what one head writes, and by which
attention pattern one head reads the base run's values."""
BY_HEAD = ("heads", "patterns")
Places = Mapping[str, Bool[np.ndarray, "pairs pos"]]
"""Columns of each pair, by name; those of one name are patched together."""


class Said(NamedTuple):
    """What is said after each prompt.

    difference: the clean answer's logit less the corrupted one's. probability: of the
    clean answer. is_clean, is_corrupted: is that the likeliest token of all?
    """

    difference: Float[np.ndarray, "*sites pairs"]
    probability: Float[np.ndarray, "*sites pairs"]
    is_clean: Bool[np.ndarray, "*sites pairs"]
    is_corrupted: Bool[np.ndarray, "*sites pairs"]


class Effects(NamedTuple):
    """What patches do.

    base, source: what the two runs say unpatched, `[pairs]`. patched: what is said
    after each patch; the axes before the last are those of the sites.
    """

    base: Said
    source: Said
    patched: dict[Hashable, Said]

    def recovery(
        self, *patch: Hashable, rows: slice | np.ndarray = slice(None)
    ) -> Float[np.ndarray, "*sites"]:
        """How far a patch moves the mean logit difference from base to source.

        0 where it changes nothing, 1 where it does all. patch: its key, or the parts of
        it. rows: of some of the pairs.
        """
        key = patch[0] if len(patch) == 1 else patch
        moved = self.patched[key].difference[..., rows]
        base, source = self.base.difference[rows], self.source.difference[rows]
        return np.asarray((moved - base).mean(-1) / (source - base).mean())


def sweep(
    network: Network,
    pairs: Pairs,
    places: Places,
    parts: Collection[str] = PARTS,
    noising: bool = False,
) -> Effects:
    """The effect of patching each part of each layer at each place, by their names.

    Before the pairs' axis stand, for the stream, `layers + 1`; for attention and MLP,
    `layers`; for heads and patterns, `layers, heads`. noising: the clean run is the
    base and the corrupted one the source, instead of the other way round. Raises
    MazelibError for a part that there is not.
    """
    if unknown := [part for part in parts if part not in PARTS]:
        raise MazelibError(f"no part {unknown[0]!r}: take some of {', '.join(PARTS)}")

    def some(pairs: Pairs, rows: np.ndarray) -> Effects:
        base, source = runs_of(network, pairs, noising)
        changed = np.maximum.accumulate(pairs.differs, 1)
        patched = {}
        for name, mask in places.items():
            where = Where.of(mask[rows, : changed.shape[1]] & changed)
            found = at_place(network, base, source, where, parts)
            patched |= {(part, name): said(x, pairs) for part, x in found.items()}
        return Effects(said(base.logits, pairs), said(source.logits, pairs), patched)

    return in_parts(pairs, some)


def in_parts(pairs: Pairs, some: Callable[[Pairs, np.ndarray], Effects]) -> Effects:
    """The effects on all pairs, by those on as many as are run at a time.

    some: gives them, for some pairs, and which of all they are.
    """
    order = batches(pairs)
    found = [some(pairs.those(rows), rows) for rows in order]
    back = np.argsort(np.concatenate(order))

    def joined(each: Iterable[Said]) -> Said:
        parts = zip(*each, strict=True)
        return Said(*(np.concatenate(one, -1)[..., back] for one in parts))

    base, source, patched = zip(*found, strict=True)
    by = {key: joined(part[key] for part in patched) for key in patched[0]}
    return Effects(joined(base), joined(source), by)


def batches(pairs: Pairs) -> list[Int[np.ndarray, "some"]]:
    """The pairs, as many as are run at a time; such as differ from like columns on."""
    order = np.lexsort((pairs.clean.end, pairs.differs.argmax(1)))
    return np.split(order, range(MOST, len(order), MOST))


def runs_of(network: Network, pairs: Pairs, noising: bool) -> tuple[Run, Run]:
    """The run that is patched, and the one that values are taken from."""
    clean, corrupted = (network.run(p) for p in (pairs.clean, pairs.corrupted))
    return (clean, corrupted) if noising else (corrupted, clean)


def first_changed(pairs: Pairs) -> int:
    """The first column in which any pair differs; 0 where none does."""
    return int(pairs.differs.any(0).argmax())


class Where(NamedTuple):
    """Tokens of a batch: their rows and columns, and the first column of all."""

    row: Int[Tensor, "tokens"]
    column: Int[Tensor, "tokens"]
    start: int

    @classmethod
    def of(cls, mask: Bool[np.ndarray, "pairs pos"]) -> "Where":
        """The tokens of a mask."""
        row, column = (torch.from_numpy(at) for at in np.nonzero(mask))
        return cls(row, column, int(column.min()) if len(column) else 0)


def difference(
    logits: Float[Tensor, "*sites pairs id"], pairs: Pairs
) -> Float[Tensor, "*sites pairs"]:
    """The clean answer's logit less the corrupted one's."""
    each = torch.arange(len(pairs))
    return logits[..., each, pairs.right] - logits[..., each, pairs.wrong]


def said(logits: Float[Tensor, "*sites pairs id"], pairs: Pairs) -> Said:
    """What logits say of the two answers of pairs."""
    each, logits = torch.arange(len(pairs)), logits.detach()
    right, wrong = (torch.from_numpy(token) for token in (pairs.right, pairs.wrong))
    probability, likeliest = logits.softmax(-1)[..., each, right], logits.argmax(-1)
    is_each = (likeliest == right, likeliest == wrong)
    found = (difference(logits, pairs), probability, *is_each)
    return Said(*(part.numpy() for part in found))


@torch.no_grad()
def at_place(
    network: Network, base: Run, source: Run, where: Where, parts: Collection[str]
) -> dict[str, Float[Tensor, "*sites pairs id"]]:
    """The logits after each part is patched at some tokens; pairs without are as they
    were."""
    layers, heads = network.layers, network.heads
    sites = {"stream": (layers + 1,), "heads": (layers, heads)}
    sites |= {"patterns": (layers, heads), "attention": (layers,), "mlp": (layers,)}
    unchanged = base.logits
    found = {part: unchanged.expand(*sites[part], *unchanged.shape) for part in parts}
    rows, row = where.row.unique(return_inverse=True)
    if not len(rows):  # the two runs do not differ there
        return found
    if len(rows) < len(unchanged):
        base, source = base.those(rows), source.those(rows)
    where = where._replace(row=row)
    patched: dict[str, list] = {part: [] for part in parts}
    for layer in range(layers + 1):
        changes = changes_before(network, base, source, where, parts, layer)
        if changes:
            for part, each in gone_on(network, base, where, layer, changes).items():
                patched[part].append(each)
    for part, each in patched.items():
        found[part] = found[part].clone()
        logits = torch.stack(each) if part in BY_HEAD else torch.cat(each)
        found[part][..., rows, :] = logits
    return found


def changes_before(
    network: Network, base: Run, source: Run, where: Where, parts, layer: int
) -> dict[str, Float[Tensor, "sites tokens width"]]:
    """The residual stream before a layer at some tokens, with each part patched that
    shows there first."""
    changes = {}
    if "stream" in parts:
        changes["stream"] = source.streams[layer][where.row, where.column][None]
    if layer:
        changes |= written_changes(network, base, source, where, parts, layer - 1)
    return changes


def written_changes(
    network: Network, base: Run, source: Run, where: Where, parts, layer: int
) -> dict[str, Float[Tensor, "sites tokens width"]]:
    """The residual stream after a layer at some tokens, with parts of it patched."""
    row, column = where.row, where.column
    read = [run.read[layer][row, :, column] for run in (base, source)]
    deltas = {}
    if "attention" in parts or "heads" in parts:
        each = network.written(layer, (read[1] - read[0]).transpose(0, 1))
        deltas |= {"heads": each, "attention": each.sum(0, keepdim=True)}
    if "patterns" in parts:
        seen = read_by(source, base, where, layer) - read[0]
        deltas["patterns"] = network.written(layer, seen.transpose(0, 1))
    after = base.streams[layer + 1][row, column]
    own = base.mlps[layer][row, column]
    found, block = {}, network.blocks[layer]
    for part in (part for part in deltas if part in parts):
        middle = after - own + deltas[part]
        found[part] = middle + mlp(block, middle, DTYPE)
    if "mlp" in parts:
        found["mlp"] = (after - own + source.mlps[layer][row, column])[None]
    return found


def read_by(
    looks: Run, holds: Run, where: Where, layer: int
) -> Float[Tensor, "tokens head each"]:
    """What heads read at some tokens by one run's attention off another's values."""
    row, column = where.row, where.column
    query = looks.queries[layer][row, :, column][:, :, None]
    key, value = looks.keys[layer][row], holds.values[layer][row]
    return attended(query, key, value, column)[:, :, 0]


def gone_on(
    network: Network,
    base: Run,
    where: Where,
    layer: int,
    changes: Mapping[str, Float[Tensor, "sites tokens width"]],
) -> dict[str, Float[Tensor, "sites pairs id"]]:
    """The logits after each change of the residual stream before a layer."""
    counts, changed = map(len, changes.values()), torch.cat(list(changes.values()))
    streams = base.streams[layer][:, where.start :].repeat(len(changed), 1, 1, 1)
    streams[:, where.row, where.column - where.start] = changed
    logits = network.resume(base, layer, where.start, streams)
    return dict(zip(changes, logits.split(list(counts)), strict=True))
