"""The residual stream moved while a model answers: added to, projected, or swapped.

    changes = [Change(3, add=vectors, where=columns)]
    answers = steered_rollout(trained, prompts, changes)
    with steered(trained.model, changes):
        logits = trained.model(ids).logits        # of the same prompts, in order

A change is in force within the `with` alone, and comes off when something fails. It
acts at one token of each prompt, at every token that is printed, or at all. Rollouts
are those of `mazelib.behaviour.rollout`, as fast as without (benchmarks/rollouts.py).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import PreTrainedModel

from mazelib.behaviour.rollout import rollout
from mazelib.errors import MazelibError
from mazelib.models.blocks import last_norm
from mazelib.models.checkpoint import TrainedModel
from mazelib.models.model import has_learned_positions

STEPS, ALL = "steps", "all"
"""Where a change acts: at the tokens off which an answer is read, the prompt's last and
each that is printed; or at every token."""


@dataclass(frozen=True, eq=False)
class Change:
    """A change of the residual stream: some of it taken away, something added.

    layer: it acts before that layer, or after the last where it is their number.
    remove: orthonormal columns, of which nothing is left in the stream. add: what is
    added after that, the same for all prompts or a row each. So a direction is added
    with `add`, projected out with `remove`, and a subspace's content is swapped with
    both. where: `STEPS`, `ALL`, or the column of one token of each prompt.
    """

    layer: int
    add: Float[Tensor, "*prompts width"] | None = None
    remove: Float[Tensor, "width rank"] | None = None
    where: str | Int[np.ndarray, "prompts"] = STEPS

    def those(self, some: Sequence[int]) -> "Change":
        """The same for some of the prompts."""
        is_each = self.add is not None and self.add.ndim == 2
        return replace(
            self,
            add=self.add[some] if is_each else self.add,
            where=self.where if isinstance(self.where, str) else self.where[some],
        )

    def made(self, x: Float[Tensor, "tokens width"], rows: Tensor) -> Tensor:
        """Some tokens' stream with the change, of some of the prompts."""
        if self.remove is not None:
            x = x - (x @ self.remove) @ self.remove.T
        if self.add is None:
            return x
        return x + (self.add[rows] if self.add.ndim == 2 else self.add)


class Steering:
    """Changes in force: which prompts are still read, and how far."""

    def __init__(self, changes: Sequence[Change]):
        self.changes, self.seen, self.rows = changes, 0, None

    def keep(self, rows: Int[Tensor, "some"]) -> None:
        """Only some rows of the batch are still read from here on."""
        self.rows = rows if self.rows is None else self.rows[rows]

    def begin(self, module: nn.Module, arguments: tuple, named: dict) -> None:
        """Before a forward pass: count the tokens that were read before."""
        past = named.get("past_key_values")
        self.seen = 0 if past is None else past.get_seq_length()

    def changed(
        self, x: Float[Tensor, "batch pos width"], layer: int
    ) -> Float[Tensor, "batch pos width"]:
        """The residual stream before a layer, with its changes."""
        rows = torch.arange(len(x)) if self.rows is None else self.rows
        for change in self.changes:
            if change.layer != layer:
                continue
            at, column = self.tokens(change, rows, x.shape[1])
            x = x.clone()
            x[at, column] = change.made(x[at, column], rows[at])
        return x

    def tokens(
        self, change: Change, rows: Tensor, length: int
    ) -> tuple[Int[Tensor, "tokens"], Int[Tensor, "tokens"]]:
        """The rows and columns in the batch of the tokens at which a change acts."""
        each = torch.arange(len(rows))
        if isinstance(change.where, str):
            columns = torch.arange(length)
            columns = columns[-1:] if change.where == STEPS else columns
            return each.repeat_interleave(len(columns)), columns.repeat(len(each))
        column = torch.from_numpy(change.where)[rows] - self.seen
        inside = (column >= 0) & (column < length)
        return each[inside], column[inside]


@contextmanager
def steered(
    model: PreTrainedModel, changes: Sequence[Change]
) -> Iterator[Callable[[Tensor], None]]:
    """While it lasts, a model's residual stream is changed.

    Gives a function to call with the rows of the batch that are still read, when others
    are left out. Raises MazelibError for a model in training mode, or a change that
    does not fit it.
    """
    layers = entrances(model)
    check(model, changes, len(layers) - 1)
    steering = Steering(changes)
    hooks = [model.register_forward_pre_hook(steering.begin, with_kwargs=True)]

    def hook_of(layer: int):
        def hook(module: nn.Module, arguments: tuple) -> tuple:
            return steering.changed(arguments[0], layer), *arguments[1:]

        return hook

    try:
        for layer in {change.layer for change in changes}:
            hooks.append(layers[layer].register_forward_pre_hook(hook_of(layer)))
        yield steering.keep
    finally:
        for hook in hooks:
            hook.remove()


def entrances(model: PreTrainedModel) -> list[nn.Module]:
    """The modules that the residual stream goes into: each layer, and the last norm."""
    is_learned = has_learned_positions(model)
    layers = model.transformer.h if is_learned else model.gpt_neox.layers
    return [*layers, last_norm(model)]


def check(model: PreTrainedModel, changes: Sequence[Change], layers: int) -> None:
    """Raise MazelibError for a model or a change that cannot be steered by."""
    if model.training:
        raise MazelibError(
            "the model is in training mode: call model.eval() before intervening"
        )
    width = model.config.hidden_size
    for change in changes:
        if not 0 <= change.layer <= layers:
            raise MazelibError(
                f"layer is {change.layer}, but the model has {layers}: take 0, before "
                f"the first, to {layers}, after the last"
            )
        if isinstance(change.where, str) and change.where not in (STEPS, ALL):
            raise MazelibError(
                f"where is {change.where!r}: take {STEPS!r}, {ALL!r}, or a column of "
                "each prompt"
            )
        sizes = [] if change.add is None else [change.add.shape[-1]]
        sizes += [] if change.remove is None else [change.remove.shape[0]]
        if set(sizes) - {width}:
            raise MazelibError(
                f"a change is {sizes[0]} wide, but the model's stream {width}"
            )


def steered_rollout(
    trained: TrainedModel,
    prompts: Sequence[Int[np.ndarray, "_"]],
    changes: Sequence[Change],
) -> list[Int[np.ndarray, "_"]]:
    """Each prompt's likeliest next tokens while the residual stream is changed.

    As `mazelib.behaviour.rollout.rollout`. A change at a column that is beyond its
    prompt acts once, when that token has been printed.
    """
    model = trained.model

    def within(some: list[int]):
        return steered(model, [change.those(some) for change in changes])

    return rollout(model, trained.tokenizer, prompts, within=within)


def class_means(
    streams: Float[np.ndarray, "*layers tokens width"],
    label: Int[np.ndarray, "tokens"],
    count: int,
) -> Float[np.ndarray, "*layers count width"]:
    """The mean stream at tokens of each label, 0 to `count` - 1.

    The difference of two is the direction from the one to the other. Raises
    MazelibError for a label that no token has.
    """
    is_label = label == np.arange(count)[:, None]
    missing = np.flatnonzero(~is_label.any(1))
    if len(missing):
        raise MazelibError(
            f"no token has the label {missing[0]}, so it has no mean: give more tokens"
        )
    return (is_label / is_label.sum(1, keepdims=True)) @ streams
