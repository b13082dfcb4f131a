"""A trained model opened in TransformerLens, and the values inside it.

    lens = open_lens(zoo.load("dfs5"))
    patterns = [Site("pattern", layer) for layer in range(lens.layers)]
    for part in activations(lens, mazes, patterns):
        part.roles.target, part.values[patterns[0]]      # [batch, head, pos, pos]

The model's class stays what it is: TransformerLens' bridge wraps a copy of it, so the
names of hooks and weights are the usual ones. `folded=True` gives the same function
with LayerNorm's weights folded into the matrices that follow, and what is written to
the residual stream centred, which is how weights are to be read.
"""

from collections.abc import Collection, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.sources import build_bridge_from_module

from mazelib.dataset.stream import Batch, MazeSet, MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.internals.roles import QUESTION, Roles, roles_of
from mazelib.mazes.generators import MazeConfig
from mazelib.models.checkpoint import TrainedModel
from mazelib.models.huggingface import hugging_face_tokenizer
from mazelib.models.model import inputs
from mazelib.tokens.tokenizer import Tokenizer

TOLERANCE = 1e-3
"""How far log-probabilities may be from those of the model that was opened."""
MEMORY = 2**28
"""Bytes of activations that are kept at a time, unless said."""
FLOAT_BYTES = 4
MOST = 64
"""Mazes that are run at a time, unless said. With more, the arrays of an attention
layer are so large that the C library asks the system for each anew, whose pages it then
clears (benchmarks/activations.py)."""

HEADS = {"q": 2, "k": 2, "v": 2, "z": 2, "scores": 1, "pattern": 1}
"""Components that have heads, and the axis of their values that counts them."""
HOOKS = {
    "resid_pre": "hook_resid_pre",
    "resid_mid": "hook_resid_mid",
    "resid_post": "hook_resid_post",
    "attn_out": "hook_attn_out",
    "mlp_out": "hook_mlp_out",
    "mlp_post": "mlp.hook_post",
    "q": "attn.hook_q",
    "k": "attn.hook_k",
    "v": "attn.hook_v",
    "z": "attn.hook_z",
    "scores": "attn.hook_attn_scores",
    "pattern": "attn.hook_pattern",
}
"""The hook of each component of a layer, as TransformerLens names it."""


@dataclass(frozen=True, order=True)
class Site:
    """A place in the network: what is computed there, by which head, at which token.

    component: one of `HOOKS`. layer: counted from 0. head: of a component that has
    heads (`HEADS`), or all. position: the name of a role that each sequence has once
    (`QUESTION`), such as "target"; or all. For the attention between two tokens, that
    of the token that looks.

    Raises MazelibError for a component that is none, or has no heads, and for a
    position that is none.
    """

    component: str
    layer: int
    head: int | None = None
    position: str | None = None

    def __post_init__(self):
        if self.component not in HOOKS:
            raise MazelibError(
                f"no component {self.component!r}: take one of {', '.join(HOOKS)}"
            )
        if self.head is not None and self.component not in HEADS:
            raise MazelibError(
                f"{self.component} has no heads: leave out head {self.head}, or take "
                f"one of {', '.join(HEADS)}"
            )

        if self.position not in (None, *QUESTION):
            raise MazelibError(
                f"no position {self.position!r}: take one of {', '.join(QUESTION)}, or "
                "none, and index the values by `Roles`"
            )

    def __str__(self) -> str:
        head = "" if self.head is None else f"H{self.head}"
        where = "" if self.position is None else f" at {self.position}"
        return f"L{self.layer}{head} {self.component}{where}"

    @property
    def hook(self) -> str:
        """The name of its hook in TransformerLens."""
        return f"blocks.{self.layer}.{HOOKS[self.component]}"

    def index(self, roles: Roles | None = None) -> tuple:
        """What to index the hook's values with, to read or to write this site.

        roles: where the position is, if the site has one.
        """
        axes = 2 if HEADS.get(self.component) == 1 else 1
        found = [slice(None)] * 3
        if self.position is not None:
            at = torch.from_numpy(getattr(roles, self.position))
            found[0], found[axes] = torch.arange(len(at)), at
        if self.head is not None:
            found[HEADS[self.component]] = self.head
        return tuple(found)


class Lens(NamedTuple):
    """A model in TransformerLens, with its vocabulary."""

    bridge: TransformerBridge
    tokenizer: Tokenizer

    @property
    def layers(self) -> int:
        """How many blocks it has."""
        return self.bridge.cfg.n_layers

    @property
    def heads(self) -> int:
        """How many attention heads a block has."""
        return self.bridge.cfg.n_heads

    @torch.no_grad()
    def logits(self, batch: Batch) -> Float[Tensor, "batch pos id"]:
        """What it says of the token after each position."""
        return self.bridge(**bridge_inputs(batch))


def bridge_inputs(batch: Batch) -> dict[str, Tensor]:
    """A batch as the bridge's arguments, whose first has another name."""
    arguments = inputs(batch)
    return {"input": arguments.pop("input_ids"), **arguments}


def open_lens(trained: TrainedModel, folded: bool = False) -> Lens:
    """A model in TransformerLens, which also takes text: `bridge(text)`.

    folded: with `enable_compatibility_mode`: LayerNorm folded, writing weights and
    unembedding centred. Log-probabilities are compared with the model's own on sixteen
    mazes; raises MazelibError if they are not the same.
    """
    model = deepcopy(trained.model)  # the bridge changes what it is given
    bridge = build_bridge_from_module(
        model,
        architecture=type(model).__name__,
        hf_config=model.config,
        tokenizer=hugging_face_tokenizer(trained.tokenizer),
        device=str(model.device),
        model_name="maze solver",
    ).eval()
    # where a vocabulary has no token of a beginning, TransformerLens takes that of the
    # end, which stood in front of no sequence in training
    bridge.cfg.default_prepend_bos = False
    if folded:
        bridge.enable_compatibility_mode(disable_warnings=True)
    lens = Lens(bridge, trained.tokenizer)
    check_same(lens, trained)
    return lens


def check_same(lens: Lens, trained: TrainedModel) -> None:
    """Raise MazelibError if a lens does not say what the model says."""
    grid = min(trained.tokenizer.side, 5)
    stream = StreamConfig(MazeConfig("dfs", grid), split="any")
    batch = MazeStream(stream).take(0, 16).encode(trained.tokenizer)
    with torch.no_grad():
        own = trained.model(**inputs(batch)).logits.log_softmax(-1)
    gap = (lens.logits(batch).log_softmax(-1) - own).abs()
    worst = float(gap[torch.from_numpy(batch.segment >= 0)].max())
    if not worst <= TOLERANCE:
        raise MazelibError(
            f"log-probabilities in TransformerLens are off by {worst:.2g} (up to "
            f"{TOLERANCE} is rounding): this version of it does not fit the model"
        )


class Part(NamedTuple):
    """Some of the mazes: which, their tokens and roles, and the values at each site.

    A value has the axes of its hook, without the head's if the site has a head, and
    without the position's if it has a position.
    """

    rows: slice
    batch: Batch
    roles: Roles
    values: dict[Site, Tensor]


def activations(
    lens: Lens,
    mazes: MazeSet,
    sites: Collection[Site],
    memory: int = MEMORY,
    most: int = MOST,
) -> Iterator[Part]:
    """The values at sites on mazes of one question each, a part of them at a time.

    memory: bytes that the values of a part may take. most: mazes in a part.
    """
    if not len(mazes):
        return
    longest = mazes[np.argmax(mazes.length, 0)].encode(lens.tokenizer).ids.shape[1]
    each = sum(numbers(lens, site, longest) for site in sites) * FLOAT_BYTES
    size = max(1, min(most, memory // max(1, each)))
    for start in range(0, len(mazes), size):
        rows = slice(start, min(start + size, len(mazes)))
        batch = mazes[rows].encode(lens.tokenizer)
        roles = roles_of(batch, mazes[rows], lens.tokenizer)
        yield Part(rows, batch, roles, read(lens, batch, roles, sites))


def read(
    lens: Lens, batch: Batch, roles: Roles, sites: Collection[Site]
) -> dict[Site, Tensor]:
    """The values at sites on one batch."""
    if not sites:
        return {}
    _, cache = run(lens, batch, sites)
    return {site: cache[site.hook][site.index(roles)] for site in sites}


@torch.no_grad()
def run(
    lens: Lens, batch: Batch, sites: Collection[Site]
) -> tuple[Float[Tensor, "batch pos id"], dict[str, Tensor]]:
    """The logits on one batch, and what the hooks of sites hold, whole, by name."""
    hooks = {site.hook for site in sites}
    return lens.bridge.run_with_cache(
        **bridge_inputs(batch),
        names_filter=lambda name: name in hooks,
        return_cache_object=False,
    )


def numbers(lens: Lens, site: Site, length: int) -> int:
    """How many numbers a site's hook holds for one sequence of so many tokens."""
    if HEADS.get(site.component) == 1:
        return lens.heads * length**2
    return length * lens.bridge.cfg.d_model * (4 if site.component == "mlp_post" else 1)
