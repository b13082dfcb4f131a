"""The flags that say which mazes, shared by the commands, and what commands print."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import arg

from mazelib.errors import MazelibError
from mazelib.generators import GENERATORS


def optional(kind: type, default: str, metavar: str = ""):
    """The type of a flag that may be left out, with what --help says of its default."""
    hint = f"(default: {default})"
    name = metavar or kind.__name__.upper()
    return Annotated[kind | None, arg(metavar=name, help_behavior_hint=hint)]


@dataclass(frozen=True)
class MazeFlags:
    """Which mazes."""

    generator: Annotated[
        optional(str, "dfs, or as the model was trained", "NAME"),
        arg(help="how mazes are made: " + ", ".join(GENERATORS)),
    ] = None
    grid: optional(int, "6, or as the model was trained") = None
    """cells along a side"""
    seed: int = 0
    """the same seed gives the same mazes"""
    p: optional(float, "0.4") = None
    """probability of an open edge, for the percolations"""
    start: optional(int, "random") = None
    """cell, row * grid + col, at which a generator begins"""
    max_depth: optional(int, "any") = None
    """most steps from the start, for dfs"""
    accessible: float = 1.0
    """fraction of the cells to reach; below 1 the maze is sparse"""
    endpoints: Literal["uniform", "dead_ends", "corners"] = "uniform"
    """among which cells origin and target are drawn"""
    min_steps: int = 1
    """least length of the shortest path, in steps"""

    def stream(self, split: str, questions: int = 1, like: dict | None = None):
        """The stream of mazes; what is not given is as in `like`, a model's config."""
        from mazelib.dataset import MazeStream, StreamConfig
        from mazelib.generators import MazeConfig

        like = like or {"generator": "dfs", "grid": 6}
        names = ("p", "start", "max_depth", "accessible")
        mazes = MazeConfig(
            like["generator"] if self.generator is None else self.generator,
            like["grid"] if self.grid is None else self.grid,
            **{name: getattr(self, name) for name in names},
        )
        config = StreamConfig(
            mazes, self.seed, split, self.endpoints, self.min_steps, questions
        )
        return MazeStream(config)


def check_count(count: int) -> None:
    """Raise MazelibError unless `count` is at least 1."""
    if count < 1:
        raise MazelibError(f"count is {count}, but must be at least 1")


def describe(stream) -> dict:
    """A stream's generator, grid, seed and split."""
    config = stream.config
    return {
        "generator": config.mazes.generator,
        "grid": config.mazes.grid,
        "seed": config.seed,
        "split": config.split,
    }


def dumps(facts) -> str:
    """Compact JSON on one line."""
    return json.dumps(facts, ensure_ascii=False)


def readable(facts: dict) -> str:
    """One `name value` a line, numbers to four digits."""

    def lines() -> Iterator[str]:
        for name, value in facts.items():
            if isinstance(value, list):
                value = " … ".join(f"{v:.4f}" for v in value)
            elif isinstance(value, float):
                value = f"{value:.4f}"
            yield f"{name:<15} {value}"

    return "\n".join(lines())
