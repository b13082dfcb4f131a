"""What a training run is scored on: mazes held back from every run, and the score.

mazes = validation_mazes(config.mazes, 512)
exact_match(model, mazes, config.model).mean()
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool
from transformers import PreTrainedModel

from mazelib.dataset import MazeSet, MazeStream, StreamConfig
from mazelib.model import MazeModelConfig, predictions

VALIDATION_SEED = 2**31 - 1
"""All runs are scored on the same validation mazes, whatever their own seed."""


def validation_mazes(stream: StreamConfig, count: int) -> MazeSet:
    """`count` mazes of the kind a run learns from, of the validation split.

    A run on the split "any" holds nothing back, so it is scored on that split too.
    """
    split = "any" if stream.split == "any" else "validation"
    held_back = replace(stream, split=split, questions=1, seed=VALIDATION_SEED)
    return MazeStream(held_back).take(0, count)


def exact_match(
    model: PreTrainedModel, mazes: MazeSet, config: MazeModelConfig, size: int = 128
) -> Bool[np.ndarray, "mazes"]:
    """For each maze: is every token of the path, and its end, the likeliest one?

    A greedy rollout prints exactly the path if and only if it is.
    """
    right = []
    for start in range(0, len(mazes), size):
        batch = mazes[start : start + size].encode(config.tokenizer)
        wrong = predictions(model, batch).numpy() != batch.ids
        right.append(~(wrong & batch.answer).any(1))
    return np.concatenate(right)
