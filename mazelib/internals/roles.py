"""Where things are in a sequence of tokens, by role, so that nothing counts tokens.

    batch = mazes.encode(tokenizer)
    roles = roles_of(batch, mazes, tokenizer)
    roles.first[b, k], roles.second[b, k]     # the two cells of entry k of the list
    roles.origin[b], roles.target[b]          # the cells that the question names
    roles.path[b, t]                          # the cell of step t of the path
    roles.cell[b, position]                   # which cell a token names, or -1

Positions are those in `batch.ids`; -1 stands where a sequence has no such thing.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from mazelib.dataset.stream import Batch, MazeSet
from mazelib.errors import MazelibError
from mazelib.tokens.encoding import ADJLIST_END, CONNECTOR
from mazelib.tokens.tokenizer import Tokenizer

ENTRY = ("first", "connector", "second", "semicolon")
"""The four tokens of an entry of the list, in order."""
QUESTION = (
    "list_end",
    "origin_start",
    "origin",
    "origin_end",
    "target_start",
    "target",
    "target_end",
    "path_start",
)
"""The tokens between the list and the path, in order."""
KINDS = ("list_start", *ENTRY, *QUESTION, "path", "path_end")
"""All kinds of token there are; an entry's are one kind in all entries."""


class Roles(NamedTuple):
    """The positions of a batch's tokens, by role; -1 where there is none.

    first, connector, second, semicolon: the four tokens of each entry of the list.
    list_end to path_start: the tokens of the question, one each.
    path: the tokens of the path's cells, the origin first. is_fork: at which of them
    there is a choice. cell: the maze's cell that each token names, -1 for others.
    """

    first: Int[np.ndarray, "batch entries"]
    connector: Int[np.ndarray, "batch entries"]
    second: Int[np.ndarray, "batch entries"]
    semicolon: Int[np.ndarray, "batch entries"]
    list_end: Int[np.ndarray, "batch"]
    origin_start: Int[np.ndarray, "batch"]
    origin: Int[np.ndarray, "batch"]
    origin_end: Int[np.ndarray, "batch"]
    target_start: Int[np.ndarray, "batch"]
    target: Int[np.ndarray, "batch"]
    target_end: Int[np.ndarray, "batch"]
    path_start: Int[np.ndarray, "batch"]
    path: Int[np.ndarray, "batch cells"]
    is_fork: Bool[np.ndarray, "batch cells"]
    cell: Int[np.ndarray, "batch pos"]

    @property
    def entry(self) -> Int[np.ndarray, "batch entries 4"]:
        """The positions of each entry's four tokens."""
        return np.stack([getattr(self, name) for name in ENTRY], -1)

    @property
    def edges(self) -> Int[np.ndarray, "batch entries 2"]:
        """The two cells that each entry names, as it names them."""
        ends = (self.cell_at(position) for position in (self.first, self.second))
        return np.stack(list(ends), -1)

    @property
    def kind(self) -> Int[np.ndarray, "batch pos"]:
        """Which of `KINDS` each token is; -1 in padding."""
        found = np.full(self.cell.shape, -1)
        last = self.path.max(1, initial=0)
        for number, name in enumerate(KINDS[1:-1], 1):
            mark(found, getattr(self, name), number)
        mark(found, np.zeros_like(last), 0)
        mark(found, last + 1, len(KINDS) - 1)
        return found

    def cell_at(
        self, position: Int[np.ndarray, "batch *some"]
    ) -> Int[np.ndarray, "batch *some"]:
        """The cell that the token at each position names; -1 where there is none."""
        flat = position.reshape(len(position), -1)
        found = np.take_along_axis(self.cell, np.maximum(flat, 0), 1)
        return np.where(flat >= 0, found, -1).reshape(position.shape)


def roles_of(batch: Batch, mazes: MazeSet, tokenizer: Tokenizer) -> Roles:
    """The roles of the tokens of mazes of one question each, encoded as `batch`.

    Raises MazelibError for a scheme in which a cell takes more tokens than one, or for
    packed questions.
    """
    if tokenizer.cell_width != 1:
        raise MazelibError(
            f"the scheme is {tokenizer.scheme!r}, in which a cell takes "
            f"{tokenizer.cell_width} tokens: roles are known where it takes one"
        )
    if batch.segment.max(initial=0) > 1:
        raise MazelibError("questions are packed: give mazes of one question each")
    connector = columns(batch.ids == tokenizer.special_ids[CONNECTOR])
    return Roles(
        **entries(connector),
        **question(batch, tokenizer),
        **path(batch, mazes),
        cell=cells_named(batch, mazes, tokenizer),
    )


def mark(
    kind: Int[np.ndarray, "batch pos"],
    position: Int[np.ndarray, "batch"] | Int[np.ndarray, "batch some"],
    number: int,
) -> None:
    """Write a number at positions, where these are none of -1."""
    row, column = np.nonzero(position.reshape(len(kind), -1) >= 0)
    kind[row, position.reshape(len(kind), -1)[row, column]] = number


def columns(is_there: Bool[np.ndarray, "batch pos"]) -> Int[np.ndarray, "batch some"]:
    """The positions that hold in each row, in order, padded with -1."""
    count = is_there.sum(1)
    found = np.full((len(is_there), count.max(initial=0)), -1)
    found[np.arange(found.shape[1]) < count[:, None]] = np.nonzero(is_there)[1]
    return found


def entries(connector: Int[np.ndarray, "batch entries"]) -> dict[str, np.ndarray]:
    """The positions of each entry's tokens, around its connector."""
    steps = dict(zip(ENTRY, (-1, 0, 1, 2), strict=True))
    return {k: np.where(connector >= 0, connector + s, -1) for k, s in steps.items()}


def question(batch: Batch, tokenizer: Tokenizer) -> dict[str, np.ndarray]:
    """The positions of the tokens between the list and the path."""
    end = np.argmax(batch.ids == tokenizer.special_ids[ADJLIST_END], 1)
    return {name: end + step for step, name in enumerate(QUESTION)}


def path(batch: Batch, mazes: MazeSet) -> dict[str, np.ndarray]:
    """The positions of the path's cells, and at which of them there is a choice."""
    found = columns(batch.answer)
    step = np.arange(found.shape[1])
    found = np.where(step < mazes.length, found, -1)[:, : mazes.length.max(initial=0)]
    is_fork = np.zeros(found.shape, bool)
    for row, sample in zip(is_fork, mazes, strict=True):
        row[sample.maze.forks(sample.path)] = True
    return {"path": found, "is_fork": is_fork}


def cells_named(batch: Batch, mazes: MazeSet, tokenizer: Tokenizer) -> np.ndarray:
    """The maze's cell that each token names, -1 for others and for cells outside it."""
    grid = np.full(len(tokenizer.vocabulary), -1)
    grid[tokenizer.cell_ids[:, 0]] = np.arange(tokenizer.side**2)
    named = grid[batch.ids]
    row = named // tokenizer.side - mazes.offset[:, :1]
    col = named % tokenizer.side - mazes.offset[:, 1:]
    n = mazes.n
    inside = (named >= 0) & (row >= 0) & (row < n) & (col >= 0) & (col < n)
    return np.where(inside, row * n + col, -1)
