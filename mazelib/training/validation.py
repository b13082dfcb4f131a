"""What a training run is scored on: mazes held back from every run, and the score.

mazes = validation_mazes(config.mazes, 512)
teacher_forced(model, tokenizer, mazes).right.mean()
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from transformers import PreTrainedModel

from mazelib.dataset.stream import Batch, MazeSet, MazeStream, StreamConfig
from mazelib.models.model import predictions
from mazelib.tokens.encoding import LIST_SEGMENT, PADDING_SEGMENT, question_length
from mazelib.tokens.tokenizer import Edges, Tokenizer

VALIDATION_SEED = 2**31 - 1
"""All runs are scored on the same validation mazes, whatever their own seed."""


def validation_mazes(stream: StreamConfig, count: int) -> MazeSet:
    """`count` mazes of the kind a run learns from, of the validation split.

    A run on the split "any" holds nothing back, so it is scored on that split too.
    """
    split = "any" if stream.split == "any" else "validation"
    held_back = stream.held_back(split, seed=VALIDATION_SEED)
    return MazeStream(held_back).take(0, count)


class TeacherForced(NamedTuple):
    """What a model answers when it is given the true answer as it goes.

    likeliest: for each maze, the likeliest id at each place of the answer, given the
    true ones before. sure: the probability it has. right: is each of them the true one?
    A greedy rollout prints exactly the path if and only if they are.
    """

    likeliest: list[Int[np.ndarray, "answer"]]
    sure: list[Float[np.ndarray, "answer"]]
    right: Bool[np.ndarray, "mazes"]


def encode(
    mazes: MazeSet, tokenizer: Tokenizer, edges: Sequence[Edges] | None = None
) -> Batch:
    """The token sequences of mazes of one question each, with lists as `edges` has.

    Without `edges`, as `MazeSet.encode`, which is faster.
    """
    if edges is None:
        return mazes.encode(tokenizer)
    offsets = map(tuple, mazes.offset.tolist())
    rows = [
        tokenizer.encode(*sample, edges=pairs, offset=offset)
        for sample, pairs, offset in zip(mazes, edges, offsets, strict=True)
    ]
    width, length = tokenizer.cell_width, mazes.length[:, 0]
    ends = np.array([len(row) for row in rows])[:, None]
    position = np.arange(ends.max(initial=0), dtype=np.int32)[None]
    inside = position < ends
    ids = np.zeros(inside.shape, np.int32)
    ids[inside] = np.concatenate(rows)
    asked = position >= ends - question_length(length, width)[:, None]
    segment = np.where(inside, asked + LIST_SEGMENT, PADDING_SEGMENT).astype(np.int32)
    answer = inside & (position >= ends - (length * width + 1)[:, None])
    return Batch(ids, position * inside, segment, answer)


def teacher_forced(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    mazes: MazeSet,
    size: int = 128,
    edges: Sequence[Edges] | None = None,
) -> TeacherForced:
    """A model's likeliest answers to mazes of one question each, `size` at a time.

    edges: each maze's list, where it is not in the order of its own key.
    """
    likeliest, sure, right = [], [], np.zeros(len(mazes), bool)
    for start in range(0, len(mazes), size):
        part = slice(start, start + size)
        batch = encode(mazes[part], tokenizer, edges and edges[part])
        ids, probability = (x.numpy() for x in predictions(model, batch))
        likeliest += [row[at] for row, at in zip(ids, batch.answer, strict=True)]
        sure += [row[at] for row, at in zip(probability, batch.answer, strict=True)]
        right[part] = ~((ids != batch.ids) & batch.answer).any(1)
    return TeacherForced(likeliest, sure, right)
