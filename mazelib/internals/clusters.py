"""Tokens of paths, many for each cell of a maze, and whether they cluster.

    mazes = StreamConfig(MazeConfig("dfs", 5), questions=240, split="test")
    tokens = path_tokens(lens, MazeStream(mazes).take(0, 100))
    tokens.vectors[3], tokens.cell, tokens.onward     # after block 3; [token, width]
    found = purity(tokens.vectors[3], tokens.onward, tokens.place)

Many questions about one maze go through the same cell: their tokens are one point in
the embedding, and what tells them apart later, the network has worked out.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from mazelib.dataset.stream import Batch, MazeSet
from mazelib.errors import MazelibError
from mazelib.internals.lens import Lens, Site, run
from mazelib.internals.roles import cells_named
from mazelib.tokens.encoding import PATH_END

STOP = -1
"""Stands for a cell where there is none: after the path's end, before its origin."""


class PathTokens(NamedTuple):
    """Tokens of the cells of paths, one after the other.

    vectors: the residual stream, before the first block and after each. maze: of which
    maze. question: of which of all questions. cell: the cell it names; place: an
    integer for each cell of each maze. before, onward: the path's cells before and
    after it, STOP where there is none; onward is the model's own likeliest.
    true_onward: where the true path goes. target: of its question.
    """

    vectors: Float[np.ndarray, "layers_and_1 token width"]
    maze: Int[np.ndarray, "token"]
    question: Int[np.ndarray, "token"]
    cell: Int[np.ndarray, "token"]
    before: Int[np.ndarray, "token"]
    onward: Int[np.ndarray, "token"]
    true_onward: Int[np.ndarray, "token"]
    target: Int[np.ndarray, "token"]

    @property
    def place(self) -> Int[np.ndarray, "token"]:
        """The cell of which maze."""
        return self.maze * (1 + self.cell.max()) + self.cell

    @property
    def is_right(self) -> Bool[np.ndarray, "token"]:
        """Where the model goes on as the true path does."""
        return self.onward == self.true_onward

    def those(self, kept: Bool[np.ndarray, "token"]) -> "PathTokens":
        """Some of the tokens."""
        vectors, *rest = self
        return PathTokens(vectors[:, kept], *(part[kept] for part in rest))


def centred(
    vectors: Float[np.ndarray, "things width"], place: Int[np.ndarray, "things"]
) -> Float[np.ndarray, "things width"]:
    """Vectors less the mean of those of the same place."""
    _, at, count = np.unique(place, return_inverse=True, return_counts=True)
    total = np.zeros((len(count), vectors.shape[1]))
    np.add.at(total, at, vectors)
    return vectors - (total / count[:, None])[at]


def packed(mazes: MazeSet, questions: int) -> MazeSet:
    """The same mazes several times in a row, each time with the next few questions.

    Raises MazelibError if the questions of a maze cannot be divided so.
    """
    asked = mazes.origin.shape[1]
    if asked % questions:
        raise MazelibError(f"{asked} questions cannot be packed {questions} at a time")
    times = asked // questions
    again = mazes[np.repeat(np.arange(len(mazes)), times)]
    parts = {
        name: getattr(mazes, name).reshape(
            len(again), questions, *getattr(mazes, name).shape[2:]
        )
        for name in ("origin", "target", "path", "length")
    }
    return replace(again, **parts)


def path_tokens(
    lens: Lens,
    mazes: MazeSet,
    predicted: bool = True,
    packing: int = 24,
    size: int = 8,
) -> PathTokens:
    """The tokens of the paths of many questions about each maze.

    predicted: only those that the model prints itself, from the origin on: up to a
    question's first error, where the model's path and the true one part. Else all of
    the true paths. packing: questions behind one list, which divide those of a maze;
    each token's attention is worked out to all of their tokens. size: such sequences at
    a time.

    Raises MazelibError for a scheme in which a cell takes more tokens than one.
    """
    if lens.tokenizer.cell_width != 1:
        raise MazelibError(
            f"the scheme is {lens.tokenizer.scheme!r}, in which a cell takes "
            f"{lens.tokenizer.cell_width} tokens: take a model with one token a cell"
        )
    split, parts = packed(mazes, packing), []
    times = len(split) // len(mazes)
    for start in range(0, len(split), size):
        some = split[start : start + size]
        batch = some.encode(lens.tokenizer)
        logits, vectors = residuals(lens, batch)
        found = tokens_of(lens, some, batch, logits, vectors)
        found = found.those(~strayed(found)) if predicted else found
        parts.append(
            found._replace(
                maze=(start + found.maze) // times,
                question=start * packing + found.question,
            )
        )
    vectors, *rest = zip(*parts, strict=True)
    return PathTokens(np.concatenate(vectors, 1), *map(np.concatenate, rest))


def residuals(lens: Lens, batch: Batch) -> tuple[Tensor, Tensor]:
    """The logits, and the residual stream before the first block and after each."""
    after = [Site("resid_post", layer) for layer in range(lens.layers)]
    sites = [Site("resid_pre", 0), *after]
    logits, cache = run(lens, batch, sites)
    return logits, torch.stack([cache[site.hook] for site in sites])


def tokens_of(lens: Lens, mazes: MazeSet, batch: Batch, logits, vectors) -> PathTokens:
    """All tokens of the true paths of a batch; `maze` counts its sequences."""
    end = lens.tokenizer.special_ids[PATH_END]
    at = np.nonzero(batch.answer & (batch.ids != end))
    likeliest = logits.argmax(-1).numpy()
    named = cells_named(batch._replace(ids=likeliest), mazes, lens.tokenizer)
    steps = np.pad(mazes.path, [(0, 0), (0, 0), (1, 1)], constant_values=STOP)
    maze, question, step = np.nonzero(mazes.path >= 0)  # in the order of the tokens
    cells = [steps[maze, question, step + shift].astype(int) for shift in range(3)]
    before, cell, onward = cells
    return PathTokens(
        vectors[:, at[0], at[1]].numpy(),
        maze,
        maze * mazes.origin.shape[1] + question,
        cell,
        before,
        named[at],
        onward,
        mazes.target[maze, question].astype(int),
    )


def strayed(tokens: PathTokens) -> Bool[np.ndarray, "token"]:
    """Which tokens come after the first error of their question."""
    wrong = (~tokens.is_right).astype(int)
    _, first = np.unique(tokens.question, return_index=True)
    so_far = wrong.cumsum() - wrong
    begun = np.repeat(so_far[first], np.diff([*first, len(wrong)]))
    return so_far > begun
