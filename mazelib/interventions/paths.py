"""Path patching: what one part writes, changed for one of its readers alone.

    effects = paths_from(network, pairs, Sender("head", 3, 1))
    effects.recovery("q")                  # [layers, heads]: by each head's queries
    effects.recovery("logits")             # straight to the output

The sender's change from the base run to the source run is added to what one reader sees
of the residual stream; all other readers see the sender as in the base run, and what
the reader makes of it goes on through the rest (Wang et al., "Interpretability in the
wild", arXiv 2211.00593). A test compares with TransformerLens' direct path patching.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from mazelib.errors import MazelibError
from mazelib.interventions.network import DTYPE, Network, Run, attended_on
from mazelib.interventions.pairs import Pairs
from mazelib.interventions.patching import (
    Effects,
    first_changed,
    in_parts,
    runs_of,
    said,
)
from mazelib.models.blocks import mlp

READERS = ("q", "k", "v", "mlp", "logits")
"""Who reads the residual stream: a head's queries, keys or values, an MLP, the end."""


class Sender(NamedTuple):
    """What writes: "embedding", or a layer's "mlp", or one of its heads ("head")."""

    component: str
    layer: int = -1
    head: int | None = None


def paths_from(
    network: Network, pairs: Pairs, sender: Sender, noising: bool = False
) -> Effects:
    """The effect of each path that starts at a sender, by its reader (`READERS`).

    Before the pairs' axis stand, for "q", "k" and "v", `layers, heads`; for "mlp",
    `layers`; for "logits" nothing. NaN for readers that come before the sender.
    noising: as for `sweep`. Raises MazelibError for a sender that is none.
    """
    check_sender(network, sender)

    def some(pairs: Pairs, rows: np.ndarray) -> Effects:
        base, source = runs_of(network, pairs, noising)
        by = by_readers(network, base, source, pairs, sender)
        found = {reader: said(logits, pairs) for reader, logits in by.items()}
        return Effects(said(base.logits, pairs), said(source.logits, pairs), found)

    return in_parts(pairs, some)


def senders_patched(
    network: Network, pairs: Pairs, senders: Collection[Sender], noising: bool = False
) -> Effects:
    """The effect of patching several senders at once, at every token.

    "whole": whoever reads them sees the change. "direct": the end alone does. Raises
    MazelibError for a sender that is none.
    """
    for sender in senders:
        check_sender(network, sender)

    @torch.no_grad()
    def some(pairs: Pairs, _: np.ndarray) -> Effects:
        base, source = runs_of(network, pairs, noising)
        row, asked = torch.arange(len(pairs)), torch.from_numpy(pairs.clean.end)
        changes = [change(network, base, source, sender, 0) for sender in senders]
        at_end = base.streams[-1] + sum(changes)
        found = {
            "whole": said(all_replaced(network, base, source, pairs, senders), pairs),
            "direct": said(network.unembedded(at_end[row, asked]), pairs),
        }
        return Effects(said(base.logits, pairs), said(source.logits, pairs), found)

    return in_parts(pairs, some)


def all_replaced(
    network: Network, base: Run, source: Run, pairs: Pairs, senders: Collection[Sender]
) -> Float[Tensor, "pairs id"]:
    """The logits when senders write what they write in the source run."""
    start = first_changed(pairs)
    from_source = Sender("embedding") in senders
    x = (source if from_source else base).streams[0][:, start:][None]
    for layer, block in enumerate(network.blocks):
        query, *own = network.attention_inputs(layer, x, start)
        kept = (part[layer][:, :, :start] for part in (base.keys, base.values))
        read = attended_on(query, *kept, *own)
        for head in range(network.heads):
            if Sender("head", layer, head) in senders:
                read[:, :, head] = source.read[layer][:, head, start:]
        x = x + network.attention_output(layer, read)
        replaced = Sender("mlp", layer) in senders
        x = x + (source.mlps[layer][:, start:] if replaced else mlp(block, x, DTYPE))
    row, asked = torch.arange(len(pairs)), torch.from_numpy(pairs.clean.end)
    return network.unembedded(x[0, row, asked - start])


def check_sender(network: Network, sender: Sender) -> None:
    """Raise MazelibError for a sender that the network does not have."""
    if sender.component == "embedding":
        return
    is_part = sender.component in ("mlp", "head") and sender.layer in range(
        network.layers
    )
    if is_part and sender.component == "head":
        is_part = sender.head in range(network.heads)
    if not is_part:
        raise MazelibError(
            f"no sender {sender}: take the embedding, or an mlp or a head of layers 0 "
            f"to {network.layers - 1}, heads 0 to {network.heads - 1}"
        )


def change(
    network: Network, base: Run, source: Run, sender: Sender, start: int
) -> Float[Tensor, "pairs suffix width"]:
    """What a sender writes in the source run less the base run, from a column on."""
    layer = sender.layer
    if sender.component == "head":
        read = source.read[layer] - base.read[layer]
        matrix = network.output_matrix(layer)[sender.head]
        return read[:, sender.head, start:] @ matrix
    parts = [
        run.streams[0] if sender.component == "embedding" else run.mlps[layer]
        for run in (base, source)
    ]
    return (parts[1] - parts[0])[:, start:]


@torch.no_grad()
def by_readers(
    network: Network, base: Run, source: Run, pairs: Pairs, sender: Sender
) -> dict[str, Float[Tensor, "*sites pairs id"]]:
    """The logits with the path to each reader patched."""
    start = first_changed(pairs)
    delta = change(network, base, source, sender, start)
    row, asked = torch.arange(len(delta)), torch.from_numpy(pairs.clean.end)
    at_end = base.streams[-1][row, asked] + delta[row, asked - start]
    nothing = torch.full_like(base.logits, torch.nan)
    found = {reader: [] for reader in READERS[:-1]}
    for layer in range(network.layers):
        reads = layer > sender.layer
        streams = [through_heads(network, base, delta, layer, start)] if reads else []
        if reads or (sender.component == "head" and layer == sender.layer):
            streams.append(through_mlp(network, base, delta, layer, start))
        logits = torch.cat([nothing[None]] * (3 * network.heads + 1))
        if streams:
            streams = torch.cat(streams)
            logits[-len(streams) :] = network.resume(base, layer + 1, start, streams)
        parts = logits.split([network.heads] * 3 + [1])
        for reader, part in zip(found, parts, strict=True):
            found[reader].append(part[0] if reader == "mlp" else part)
    by = {reader: torch.stack(each) for reader, each in found.items()}
    return by | {"logits": network.unembedded(at_end)}


def through_heads(
    network: Network, base: Run, delta: Tensor, layer: int, start: int
) -> Float[Tensor, "sites pairs suffix width"]:
    """The stream after a layer whose queries, keys or values of one head see more.

    The heads of "q", then of "k", then of "v".
    """
    seen = base.streams[layer][:, start:] + delta
    new = network.attention_inputs(layer, seen, start)
    old = [kept[layer] for kept in (base.queries, base.keys, base.values)]
    written = []
    for at in range(3):
        own = [part[:, :, start:] for part in old]
        own[at] = new[at]
        query, key, value = (part[None] for part in own)
        kept = (part[:, :, :start] for part in old[1:])
        read = attended_on(query, *kept, key, value)[0]
        more = network.written(layer, read - base.read[layer][:, :, start:])
        written.append(more.transpose(0, 1))
    middle = base.streams[layer + 1] - base.mlps[layer]
    middle = middle[:, start:] + torch.cat(written)
    return middle + mlp(network.blocks[layer], middle, DTYPE)


def through_mlp(
    network: Network, base: Run, delta: Tensor, layer: int, start: int
) -> Float[Tensor, "1 pairs suffix width"]:
    """The stream after a layer whose MLP sees more."""
    middle = base.streams[layer + 1] - base.mlps[layer]
    middle = middle[:, start:]
    return (middle + mlp(network.blocks[layer], middle + delta, DTYPE))[None]
