"""The flags that say which mazes, shared by the commands, and what commands print.

And the names that the tools take, which measure some models again.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

from tyro.conf import Positional, arg

from mazelib.errors import MazelibError
from mazelib.mazes.generators import GENERATORS

PER_GRID = ("start", "max_depth", "min_steps", "spread")
"""Options that mean nothing in a grid of another side."""


def optional(kind: type, default: str, metavar: str = ""):
    """The type of a flag that may be left out, with what --help says of its default."""
    hint = f"(default: {default})"
    name = metavar or kind.__name__.upper()
    return Annotated[kind | None, arg(metavar=name, help_behavior_hint=hint)]


ModelName = Annotated[Positional[str], arg(metavar="MODEL")]


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
    accessible: optional(float, "1, or as the model was trained") = None
    """fraction of the cells to reach; below 1 the maze is sparse"""
    spread: optional(int, "--grid, or as the model was trained") = None
    """side of a larger grid in which each maze gets a random place"""
    endpoints: optional(
        str, "uniform, or as trained", "{uniform,dead_ends,corners}"
    ) = None
    """among which cells origin and target are drawn"""
    min_steps: optional(int, "1, or as the model was trained") = None
    """least length of the shortest path, in steps"""

    def stream(self, split: str, questions: int = 1, like: dict | None = None):
        """The stream of mazes that the flags ask for.

        like: the stream of a model's training, from its card. It fills in what no flag
        says: the grid and the generator, and the latter's options unless a flag names
        another generator.
        """
        from mazelib.dataset.stream import MazeStream, StreamConfig
        from mazelib.mazes.generators import MazeConfig

        trained = {**like["mazes"], **like} if like else {}
        generator = self.generator or trained.get("generator", "dfs")
        if generator != trained.get("generator"):
            trained = {key: trained[key] for key in ("grid",) if key in trained}
        if self.grid not in (None, trained.get("grid")):
            # a place or a length in one grid is none in another
            trained = {k: v for k, v in trained.items() if k not in PER_GRID}

        def given(*names: str) -> dict:
            known = {name: getattr(self, name) for name in names}
            flags = {name: value for name, value in known.items() if value is not None}
            return {name: trained[name] for name in names if name in trained} | flags

        options = given("p", "start", "max_depth", "accessible")
        mazes = MazeConfig(generator, **{"grid": 6, **given("grid")}, **options)
        rules = given("endpoints", "min_steps", "spread")
        config = StreamConfig(
            mazes, seed=self.seed, split=split, questions=questions, **rules
        )
        return MazeStream(config)


def names_asked(
    about: str, known: Sequence[str], arguments: Sequence[str] | None = None
) -> Sequence[str]:
    """The names on a tool's command line, or all that are known if there are none.

    about: the tool's docstring. Any other name ends the program, with exit code 2.
    """
    parser = argparse.ArgumentParser(description=about.split("\n")[0])
    every = ", ".join(known)
    parser.add_argument("names", nargs="*", metavar="NAME", help=every)
    names = parser.parse_args(arguments).names or known
    if unknown := set(names) - set(known):
        parser.error(f"no {', '.join(sorted(unknown))}: take of {every}")
    return names


def check_count(count: int) -> None:
    """Raise MazelibError unless `count` is at least 1."""
    if count < 1:
        raise MazelibError(f"count is {count}, but must be at least 1")


def describe(stream) -> dict:
    """All that says which mazes a stream draws."""
    config = asdict(stream.config)
    mazes = config.pop("mazes")
    first = {name: mazes.pop(name) for name in ("generator", "grid")}
    first |= {name: config.pop(name) for name in ("seed", "split")}
    del config["questions"], config["pool"]
    return first | mazes | config


def dumps(facts) -> str:
    """Compact JSON on one line, in ASCII, so that any output can hold it."""
    return json.dumps(facts)


def readable(facts: dict) -> str:
    """One `name value` a line, numbers to four digits."""

    def lines() -> Iterator[str]:
        for name, value in facts.items():
            if isinstance(value, list):
                value = " to ".join(f"{v:.4f}" for v in value)
            elif isinstance(value, float):
                value = f"{value:.4f}"
            yield f"{name:<15} {value}"

    return "\n".join(lines())
