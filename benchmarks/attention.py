"""Gradients as they are, with torch's softmax, and with every batch of another shape.

Torch's way with `mazelib.training.packed_softmax`'s work: the scores of both places are
joined, copied to float32 and added to a mask, which is made once a batch; the weights
are copied back and parted. Without rounding (`packed_attention.MULTIPLE`), most batches
have shapes that were not met before. On one core, half a batch of `steps.BASE` at a
time, with short sequences (one token a cell) and long ones (pairs); each side has
batches of its own, since what one side has met is known to the others.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from unittest.mock import patch

import numpy as np
import torch
from rounds import compare, table
from steps import BASE, changed

from mazelib.dataset.stream import MazeStream
from mazelib.models.model import build
from mazelib.training import packed_attention
from mazelib.training.gradients import of_part, one_core
from mazelib.training.lean import LeanLoss
from mazelib.training.recipe import TrainConfig

SIZE = BASE.batch // 2
AS_THEY_COME = {"MULTIPLE": 1}


class Torchs:
    """The two functions of `mazelib.training.packed_softmax`, from torch's."""

    def __init__(self):
        self.masks = {}

    def mask(self, ends: np.ndarray, far: int, near: int) -> torch.Tensor:
        """What to add to scores: [list, 1, query, key]. Made once for each `ends`."""
        if id(ends) not in self.masks:
            end, start, stop = np.moveaxis(ends[..., None], 2, 0)
            at = np.arange(near)
            is_near = (at >= start) & (at < stop)
            is_seen = np.concatenate([np.arange(far) < end, is_near], -1)
            hidden = torch.from_numpy(np.where(is_seen, 0, -30000)).float()
            self.masks[id(ends)] = ends, hidden[:, None]
        return self.masks[id(ends)][1]

    def softmax_(self, far, near, ends) -> None:
        """As `mazelib.training.packed_softmax.softmax_`."""
        whole = joined(far, near).float()
        keys = far.shape[2], whole.shape[2] - far.shape[2]
        whole.unflatten(0, (len(ends), -1)).add_(self.mask(ends, *keys))
        part(torch._softmax(whole, -1, False).to(far.dtype), far, near)

    def softmax_gradient_(self, to_far, to_near, far, near, ends) -> None:
        """As `mazelib.training.packed_softmax.softmax_gradient_`."""
        gradient, weights = joined(to_far, to_near), joined(far, near)
        found = torch._softmax_backward_data(gradient, weights, -1, weights.dtype)
        part(found, to_far, to_near)


def joined(far: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
    """Both as [list * heads, query, key]."""
    if not near.numel():
        return far
    return torch.cat([far, near.view(*far.shape[:2], -1)], -1)


def part(whole: torch.Tensor, far: torch.Tensor, near: torch.Tensor) -> None:
    """Copy to both what belongs to each."""
    far.copy_(whole[..., : far.shape[2]])
    near.copy_(whole[..., far.shape[2] :].reshape(near.shape))


def gradients(
    config: TrainConfig, seed: int, changes: Callable[[], dict] = dict
) -> Callable[[], int]:
    """Work for `compare`: the gradients of four half batches.

    changes: gives names of `mazelib.training.packed_attention` and what they stand for
    meanwhile.
    """
    loss = LeanLoss(build(config.model))
    parameters = list(loss.parameters())
    mazes = replace(config.mazes, seed=seed)
    batches = MazeStream(mazes).batches(SIZE, config.model.tokenizer)

    def work() -> int:
        for batch in islice(batches, 4):
            with one_core(), patch.dict(vars(packed_attention), changes()):
                of_part(loss, batch, float(batch.answer.sum()), parameters)
        return 4

    return work


def torchs() -> dict:
    """The functions of `Torchs`, for one batch."""
    functions = Torchs()
    names = "softmax_", "softmax_gradient_"
    return {name: getattr(functions, name) for name in names}


def main() -> None:
    """Run the comparisons, each turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    for scheme in ("ut", "ctt"):
        config = changed("scheme", scheme)
        sides = {
            "as it is": gradients(config, 0),
            "torch's softmax": gradients(config, 1, torchs),
            "shapes as they come": gradients(config, 2, lambda: AS_THEY_COME),
            "both": gradients(config, 3, lambda: torchs() | AS_THEY_COME),
        }
        questions = config.mazes.questions
        title = f"Gradients of {SIZE} mazes × {questions} questions, {scheme}"
        print(table(title, "a second", compare(sides, rounds), "as it is"))


if __name__ == "__main__":
    main()
