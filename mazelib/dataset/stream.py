"""Mazes with questions: an endless seeded stream, fixed sets, and batches of tokens.

    stream = MazeStream(StreamConfig(MazeConfig("dfs", 6), split="train", seed=0))
    mazes = stream.take(0, 1000)              # a MazeSet: samples 0 to 999
    maze, origin, target, path = mazes[0]
    batch = mazes.encode(Tokenizer("ut", 6))  # ids[1000, pos] and what goes with them

Sample i depends on the seed, the split and i alone: not on how many are taken at once,
by how many threads or ranks. A maze's canonical hash decides its split, so no test
maze, nor a mirror image or turn of one, is in any seed's or generator's training
stream.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from itertools import count as count_from
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int, UInt64

from mazelib.dataset.prefetch import ordered_map
from mazelib.errors import MazelibError, check_fields
from mazelib.mazes.generators import MazeConfig, generate
from mazelib.mazes.maze import Maze
from mazelib.mazes.questions import draw_questions, hashes_of, lacking, splits_of
from mazelib.tokens import encoding
from mazelib.tokens.tokenizer import Sample, Tokenizer

SPLITS = ("train", "validation", "test", "any")
ENDPOINTS = ("uniform", "dead_ends", "corners")
SHARES = (6 / 8, 1 / 8, 1 / 8, 1)
"""The share of all mazes in each split (`mazelib.mazes.questions.split_codes`)."""
CHUNK = 256
"""Mazes drawn from one random generator; sample i is in chunk i // CHUNK."""


class Batch(NamedTuple):
    """Token sequences, padded on the right, each a list and one or more questions.

    ids: the tokens. position: what a position embedding is to see. segment: 0 in the
    edge list, k + 1 in question k, -1 in padding; a token sees what comes before it in
    its own segment and in segment 0. answer: the path's tokens and <PATH_END>.
    """

    ids: Int[np.ndarray, "batch pos"]
    position: Int[np.ndarray, "batch pos"]
    segment: Int[np.ndarray, "batch pos"]
    answer: Bool[np.ndarray, "batch pos"]


@dataclass(frozen=True, eq=False)
class MazeSet:
    """Mazes of one side with K questions each, as arrays; `path` is padded with -1.

    `length` counts a path's cells, both ends included. `key` orders a maze's edge list,
    `offset` is where it stands in a larger vocabulary's grid.
    """

    right: Bool[np.ndarray, "mazes n n-1"]
    down: Bool[np.ndarray, "mazes n-1 n"]
    key: UInt64[np.ndarray, "mazes"]
    offset: Int[np.ndarray, "mazes 2"]
    origin: Int[np.ndarray, "mazes questions"]
    target: Int[np.ndarray, "mazes questions"]
    path: Int[np.ndarray, "mazes questions cells"]
    length: Int[np.ndarray, "mazes questions"]

    def __len__(self) -> int:
        return len(self.right)

    def __getitem__(self, item) -> "Sample | MazeSet":
        """Sample i (with the first question), or for a slice or array a MazeSet."""
        if isinstance(item, (int, np.integer)):
            return self.sample(int(item))
        return MazeSet(*(getattr(self, f.name)[item] for f in fields(self)))

    def __iter__(self) -> Iterator[Sample]:
        return (self.sample(i) for i in range(len(self)))

    def sample(self, i: int, question: int = 0) -> Sample:
        """One maze with one of its questions."""
        path = self.path[i, question, : self.length[i, question]].astype(int)
        maze = Maze(self.right[i], self.down[i])
        return Sample(
            maze, int(self.origin[i, question]), int(self.target[i, question]), path
        )

    @classmethod
    def concatenate(cls, parts: "list[MazeSet]") -> "MazeSet":
        """Sets of mazes of one side with the same number of questions, as one."""
        names = [f.name for f in fields(cls)]
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in names))

    @property
    def n(self) -> int:
        """Cells along a side."""
        return self.right.shape[1]

    @property
    def canonical_hashes(self) -> UInt64[np.ndarray, "mazes"]:
        """Each maze's `Maze.canonical_hash`."""
        return hashes_of(self.right, self.down)

    def encode(self, tokenizer: Tokenizer) -> Batch:
        """The token sequences, one a maze, its questions packed behind its list.

        Raises MazelibError if a maze does not fit the tokenizer's grid.
        """
        for extreme in (self.offset.min(0, initial=0), self.offset.max(0, initial=0)):
            tokenizer.place(self.n, tuple(extreme.tolist()))
        edges = sum(np.count_nonzero(p, (1, 2)) for p in (self.right, self.down))
        if tokenizer.lists_walls:
            edges = 2 * self.n * (self.n - 1) - edges
        width = tokenizer.cell_width
        questions = encoding.question_length(self.length, width).sum(1)
        size = (encoding.list_length(edges, width) + questions).max(initial=0)
        shape = (len(self), int(size))
        batch = Batch(
            np.zeros(shape, np.int32),
            np.zeros(shape, np.int32),
            np.full(shape, encoding.PADDING_SEGMENT, np.int32),
            np.zeros(shape, bool),
        )
        encoding.write_sequences(
            (self.right, self.down, self.key, self.offset),
            (self.origin, self.target, self.path, self.length),
            tokenizer.cell_ids,
            tokenizer.special_ids,
            tokenizer.lists_walls,
            *batch,
        )
        return batch


@dataclass(frozen=True)
class StreamConfig:
    """Which mazes and questions a stream draws.

    mazes: how the mazes are made.
    seed: an integer from 0 to 2**63 - 1.
    split: "train", "validation" or "test" by the maze's canonical hash, or "any".
    endpoints: origin and target are "uniform" over the cells of one component, or
        among its "dead_ends" or the grid's "corners". They always differ.
    min_steps: least length of a shortest path, in steps.
    questions: origin–target pairs drawn for each maze.
    spread: side of a larger grid in which each maze gets a random offset (default: the
        maze's own side, hence no offset).
    pool: how many mazes there are, which come again and again, each time with fresh
        questions and another order of its list; by default each maze is drawn afresh.

    Raises MazelibError for a value out of range.
    """

    mazes: MazeConfig = field(default_factory=MazeConfig)
    seed: int = 0
    split: str = "train"
    endpoints: str = "uniform"
    min_steps: int = 1
    questions: int = 1
    spread: int | None = None
    pool: int | None = None

    def __post_init__(self):
        cells = self.mazes.grid**2
        checks = [
            ("seed", 0 <= self.seed < 2**63, "from 0 to 2**63 - 1"),
            ("split", self.split in SPLITS, f"one of {', '.join(SPLITS)}"),
            (
                "endpoints",
                self.endpoints in ENDPOINTS,
                f"one of {', '.join(ENDPOINTS)}",
            ),
            ("min_steps", 1 <= self.min_steps < cells, f"from 1 to {cells - 1}"),
            ("questions", self.questions >= 1, "at least 1"),
            (
                "spread",
                self.spread is None or self.spread >= self.mazes.grid,
                f"at least the mazes' side, {self.mazes.grid}",
            ),
            ("pool", self.pool is None or self.pool >= 1, "at least 1"),
        ]
        check_fields(self, checks)

    def held_back(self, split: str, **changes) -> "StreamConfig":
        """Mazes of the same kind in another split, drawn afresh, a question each."""
        return replace(self, split=split, questions=1, pool=None, **changes)


class MazeStream:
    """An endless sequence of samples, any part of which can be asked for."""

    def __init__(self, config: StreamConfig):
        self.config = config
        self.chunk = lru_cache(maxsize=8)(self.draw_chunk)

    def candidates(self, rng: np.random.Generator, count: int) -> MazeSet:
        """What is left of `count` fresh mazes: those of the split, with questions."""
        config = self.config
        right, down = generate(config.mazes, count, rng)
        if config.split != "any":
            in_split = splits_of(right, down) == SPLITS.index(config.split)
            right, down = right[in_split], down[in_split]
        return self.questioned(rng, right, down)

    def questioned(self, rng: np.random.Generator, right, down) -> MazeSet:
        """Those of the mazes that can be asked about, with questions."""
        config = self.config
        n, shape = config.mazes.grid, (len(right), config.questions)
        origin, target = np.zeros(shape, np.int16), np.zeros(shape, np.int16)
        path = np.full((*shape, n * n), -1, np.int16)
        length = np.zeros(shape, np.int16)
        rule = ENDPOINTS.index(config.endpoints)
        draw_questions(
            rng, right, down, rule, config.min_steps, origin, target, path, length
        )
        key = rng.integers(0, 2**64, len(right), dtype=np.uint64)
        most = n if config.spread is None else config.spread
        offset = rng.integers(0, most - n + 1, (len(right), 2), dtype=np.int16)
        mazes = MazeSet(right, down, key, offset, origin, target, path, length)
        asked = length.all(1)
        return mazes if asked.all() else mazes[asked]

    @cached_property
    def pool(self) -> MazeSet:
        """The mazes that come again and again: the first of a stream without a pool."""
        return MazeStream(replace(self.config, pool=None)).take(0, self.config.pool)

    def draw_chunk(self, index: int) -> MazeSet:
        """Samples index * CHUNK to (index + 1) * CHUNK, afresh.

        Raises MazelibError where next to no maze fits the split and the endpoints.
        """
        split, pool = SPLITS.index(self.config.split), self.config.pool
        if pool is not None:
            rng = np.random.default_rng([self.config.seed, split, index, pool])
            places = np.arange(index * CHUNK, (index + 1) * CHUNK) % pool
            return self.questioned(rng, self.pool.right[places], self.pool.down[places])
        rng = np.random.default_rng([self.config.seed, split, index])
        parts, found, drawn = [], 0, 0
        # a maze without a question costs a search from each of its cells: n**4
        limit = CHUNK * max(1, int(100 * min(1, (12 / self.config.mazes.grid) ** 4)))
        while found < CHUNK:
            count = int((CHUNK - found) / SHARES[split] * 1.02) + 4
            parts.append(self.candidates(rng, count))
            found, drawn = found + len(parts[-1]), drawn + count
            if drawn > limit * (1 + found):
                raise MazelibError(self._none_found(drawn))
        return MazeSet.concatenate(parts)[:CHUNK]

    def _none_found(self, drawn: int) -> str:
        c = self.config
        right, down = generate(c.mazes, CHUNK, c.seed)
        rule = ENDPOINTS.index(c.endpoints)
        what, remedy = lacking(right, down, rule, c.min_steps) or (
            f"is in the split {c.split!r}",
            "take another split (all of a few mazes may belong to one)",
        )
        plain = vars(MazeConfig(c.mazes.generator, c.mazes.grid))
        given = [f"{k} {v:g}" for k, v in vars(c.mazes).items() if v != plain[k]]
        kind = ", ".join([f"{c.mazes.generator} mazes of side {c.mazes.grid}", *given])
        return f"of {drawn} {kind}, next to none {what}: {remedy}"

    def take(self, start: int, count: int) -> MazeSet:
        """Samples start to start + count, as a fixed set."""
        if start < 0 or count < 0:
            raise MazelibError(f"start {start} and count {count} must be at least 0")
        first, last = start // CHUNK, max(start + count - 1, start) // CHUNK
        chunks = [self.chunk(c) for c in range(first, last + 1)]
        begin = start - first * CHUNK
        return MazeSet.concatenate(chunks)[begin : begin + count]

    def batches(
        self,
        size: int,
        tokenizer: Tokenizer,
        *,
        start: int = 0,
        workers: int = 0,
        rank: int = 0,
        ranks: int = 1,
    ) -> Iterator[Batch]:
        """Endless batches of `size` mazes, from batch number `start` on, in order.

        Batch i holds samples i * size to (i + 1) * size whatever the number of worker
        threads, which work ahead (0: none, all in the caller's). Of `ranks` processes,
        process `rank` gets its equal part of each batch.
        """
        if size % ranks or not 0 <= rank < ranks:
            raise MazelibError(
                f"rank {rank} of {ranks} cannot share batches of {size} mazes: the "
                "size must be a multiple of the ranks"
            )
        part = size // ranks

        def batch(i: int) -> Batch:
            return self.take(i * size + rank * part, part).encode(tokenizer)

        return ordered_map(batch, count_from(start), workers)
