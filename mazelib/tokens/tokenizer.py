"""Mazes to tokens and back, in the scheme of the post and two others.

    tokenizer = Tokenizer("ut", side=6)
    text = tokenizer.to_text(tokenizer.encode(maze, origin, target, path))
    maze, origin, target, path = tokenizer.parse(text)

A sequence is `<ADJLIST_START> (0,0) <--> (0,1) ; … <ADJLIST_END> <ORIGIN_START> (0,0)
<ORIGIN_END> <TARGET_START> (2,1) <TARGET_END> <PATH_START> (0,0) … <PATH_END>`. A
prompt stops after `<PATH_START>`. The schemes:

- `ut`, one token a cell: `(0,1)`;
- `ctt`, coordinate tuples, five tokens a cell: `(` `0` `,` `1` `)`;
- `walls`, the dual: as `ut`, but the list holds the pairs that a wall parts, joined by
  `<XX>`, and every other pair of neighbours is open.

Names and tokens are those of the maze-dataset library (arXiv 2309.10498), whose modes
for the first two are AOTP_UT_uniform and AOTP_CTT_indexed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from mazelib.errors import MazelibError
from mazelib.mazes.drawing import Cells
from mazelib.mazes.maze import Maze
from mazelib.tokens import encoding
from mazelib.tokens.encoding import PADDING, SPECIAL
from mazelib.tokens.parsing import WALL, TokenError, parse_tokens, stray_token

SCHEMES = ("ut", "ctt", "walls")
MAX_SIDE = 64


Ids = Int[np.ndarray, "pos"] | Sequence[int]
"""Token ids, one after the other."""
Edges = Int[np.ndarray, "_ 2"]
"""Pairs of cells, in the order in which they are listed."""


class Sample(NamedTuple):
    """A maze and a question about it; `path` is None for a bare prompt."""

    maze: Maze
    origin: int
    target: int
    path: Int[np.ndarray, "path"] | None

    def draw(self, predicted: Cells | None = None, title: str = "", **more):
        """The maze with its origin, target and paths, as a `Drawing`.

        more: what else a `Drawing` takes, such as labels.
        """
        ends = (self.origin, self.target, self.path, predicted)
        return self.maze.draw(*ends, title, **more)


@dataclass(frozen=True)
class Tokenizer:
    """One vocabulary: a scheme, and the side of the largest grid it can name.

    Raises MazelibError for an unknown scheme or a side out of range.
    """

    scheme: str = "ut"
    side: int = 6

    def __post_init__(self):
        if self.scheme not in SCHEMES:
            raise MazelibError(
                f"no token scheme {self.scheme!r}: choose one of {', '.join(SCHEMES)}"
            )
        if not 2 <= self.side <= MAX_SIDE:
            raise MazelibError(f"side is {self.side}, but must be from 2 to {MAX_SIDE}")

    # ── the vocabulary ──

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """Every token; a token's id is its place here. Padding is 0."""
        special = [WALL if t == "<-->" and self.lists_walls else t for t in SPECIAL]
        numbers = [str(i) for i in range(self.side)]
        if self.scheme == "ctt":
            return (PADDING, *special, "(", ",", ")", *numbers)
        return (PADDING, *special, *(f"({r},{c})" for r in numbers for c in numbers))

    @cached_property
    def id_of(self) -> dict[str, int]:
        """The id of each token."""
        return {token: i for i, token in enumerate(self.vocabulary)}

    @property
    def lists_walls(self) -> bool:
        """Does the list hold walls in place of passages?"""
        return self.scheme == "walls"

    @property
    def cell_width(self) -> int:
        """Tokens a cell takes: 5 as a coordinate tuple, else 1."""
        return 5 if self.scheme == "ctt" else 1

    @cached_property
    def special_ids(self) -> Int[np.ndarray, "special"]:
        """The ids of the tokens in `encoding.SPECIAL`, in that order."""
        return np.arange(1, 1 + len(SPECIAL), dtype=np.int32)

    @cached_property
    def cell_ids(self) -> Int[np.ndarray, "cells width"]:
        """The ids of each cell's tokens, by its number in the vocabulary's grid."""
        cells = [divmod(cell, self.side) for cell in range(self.side**2)]
        if self.scheme == "ctt":
            names = [("(", str(r), ",", str(c), ")") for r, c in cells]
        else:
            names = [(f"({r},{c})",) for r, c in cells]
        return np.array([[self.id_of[t] for t in name] for name in names], np.int32)

    # ── to tokens ──

    def place(self, n: int, offset: tuple[int, int] = (0, 0)) -> np.ndarray:
        """The tokens int32[n², width] of a maze's cells, its corner at `offset`."""
        if min(offset) < 0 or max(offset) + n > self.side:
            raise MazelibError(
                f"a maze of side {n} at offset {tuple(offset)} leaves the vocabulary's "
                f"grid of side {self.side}: use a Tokenizer of side "
                f"≥ {n + max(0, *offset)} and offsets ≥ 0"
            )
        placed = np.empty((n * n, self.cell_width), np.int32)
        encoding.place_cells(self.cell_ids, n, self.side, *offset, placed)
        return placed

    def encode(
        self,
        maze: Maze,
        origin: int,
        target: int,
        path: Cells | None = None,
        *,
        key: int | None = None,
        edges: Edges | None = None,
        offset: tuple[int, int] = (0, 0),
    ) -> Int[np.ndarray, "pos"]:
        """The ids of a maze and a question; without a path, of a prompt.

        The order of the list and within its pairs is random and drawn from `key`; it
        is that of `edges` where those are given, and the lattice's where neither is.
        Raises MazelibError for a maze that does not fit the vocabulary's grid.
        """
        maze.check_cells([origin, target])
        if key is not None and not 0 <= key < 2**64:
            raise MazelibError(f"key is {key}, but must be from 0 to 2**64 - 1")
        if path is not None:
            maze.check_cells(path)
        placed = self.place(maze.n, offset)
        if edges is None:
            edges = maze.edges(self.lists_walls).copy()
            if key is not None:
                encoding.shuffle_edges(edges, len(edges), np.uint64(key))
        cells = 0 if path is None else len(path)
        size = encoding.list_length(len(edges), self.cell_width)
        ids = np.empty(
            size + encoding.question_length(cells, self.cell_width), np.int32
        )
        at = encoding.write_list(ids, edges, len(edges), placed, self.special_ids)
        at = encoding.write_prompt(ids, at, origin, target, placed, self.special_ids)
        if path is None:
            return ids[:at]
        path = np.asarray(path, np.int64)
        encoding.write_path(ids, at, path, cells, placed, self.special_ids)
        return ids

    def to_text(self, ids: Ids) -> str:
        """The tokens, separated by spaces, without padding."""
        return " ".join(self.to_tokens(ids))

    def to_tokens(self, ids: Ids) -> list[str]:
        """The tokens as strings, without the padding before and after.

        Raises TokenError for an id that is none.
        """
        ids = np.trim_zeros(np.asarray(ids)).tolist()
        for at, i in enumerate(ids):
            if not isinstance(i, int) or not 0 <= i < len(self.vocabulary):
                expected = f"an id from 0 to {len(self.vocabulary) - 1}"
                raise TokenError(at, str(i), expected)
        return [self.vocabulary[i] for i in ids]

    def roles(self, tokens: Sequence[str]) -> list[str]:
        """What each token belongs to: the list ("wall"), "origin", "target", "path".

        The names are those of `mazelib.mazes.drawing.PALETTE`.
        """
        starts = {
            "<ADJLIST_START>": "wall",
            "<ORIGIN_START>": "origin",
            "<TARGET_START>": "target",
            "<PATH_START>": "path",
        }
        role, roles = "wall", []
        for token in tokens:
            role = starts.get(token, role)
            roles.append(role)
        return roles

    # ── and back ──

    @cached_property
    def _cell_of(self) -> dict[tuple[int, ...], int]:
        return {tuple(ids): cell for cell, ids in enumerate(self.cell_ids.tolist())}

    def leading_cells(
        self,
        ids: Ids,
        n: int | None = None,
        offset: tuple[int, int] = (0, 0),
    ) -> list[int]:
        """The cells that ids begin with, up to the first token that belongs to none.

        Numbered as in a maze of side `n` at `offset` (see `decode`); -1 stands for a
        cell outside it. So a model's answer is read, however wrong it is.
        """
        n, width = self.side if n is None else n, self.cell_width
        ids, cells = [int(i) for i in ids], []
        for at in range(0, len(ids) - width + 1, width):
            cell = self._cell_of.get(tuple(ids[at : at + width]))
            if cell is None:
                break
            row, col = cell // self.side - offset[0], cell % self.side - offset[1]
            inside = 0 <= row < n and 0 <= col < n
            cells.append(row * n + col if inside else -1)
        return cells

    def from_text(self, text: str | bytes) -> Int[np.ndarray, "pos"]:
        """The ids of a text of tokens. Raises TokenError for a token it has not."""
        if isinstance(text, bytes):
            try:
                text = text.decode("utf-8")
            except UnicodeDecodeError as error:
                at = len((text[: error.start] + b"?").split()) - 1
                found = repr(text[error.start : error.end])
                raise TokenError(at, found, "text in UTF-8") from None
        tokens = text.split()
        for at, token in enumerate(tokens):
            if token not in self.id_of or token == PADDING:
                raise stray_token(tokens, at, self.scheme, self.side, MAX_SIDE)
        return np.array([self.id_of[token] for token in tokens], np.int32)

    def parse(
        self,
        text: str | bytes,
        n: int | None = None,
        offset: tuple[int, int] = (0, 0),
    ) -> Sample:
        """The maze, origin, target and path that a text describes; see `decode`."""
        return self.decode(self.from_text(text), n, offset)

    def decode(
        self,
        ids: Ids,
        n: int | None = None,
        offset: tuple[int, int] = (0, 0),
    ) -> Sample:
        """The maze, origin, target and path that ids describe.

        The maze has side `n` and its corner at `offset` of the vocabulary's grid, all
        of which it fills by default. The path is None where the ids stop after
        <PATH_START>; it may jump or miss the target, as a model's does, but starts at
        the origin. Raises TokenError, with the position and what was expected, for
        anything that is no such sequence.
        """
        return self.read(ids, n, offset)[0]

    def read(
        self,
        ids: Ids,
        n: int | None = None,
        offset: tuple[int, int] = (0, 0),
    ) -> tuple[Sample, Edges]:
        """As `decode`, with the list's pairs in the order in which they stand."""
        n = self.side if n is None else n
        self.place(n, offset)
        parsed = parse_tokens(self.to_tokens(ids), self.lists_walls, n, offset)
        edges = np.array(parsed.edges, np.int16).reshape(-1, 2)
        maze = Maze.from_edges(n, edges)
        if self.lists_walls:
            maze = Maze(~maze.right, ~maze.down)
        path = None if parsed.path is None else np.array(parsed.path)
        return Sample(maze, parsed.origin, parsed.target, path), edges
