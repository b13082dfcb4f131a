"""What a file says about a maze, checked value by value before anything is built on it.

In: plain values as JSON, Parquet and other forms give them. Out: a `Question`, or a
MazelibError of one line that names the value and what was expected. An integer is an
integer: no 5.0, no true, no "5", which other programs make of numbers they round.

    n = side(row["grid"])
    origin = cell(row["origin"], n)
    question(maze, origin, target, path)      # the path leads from one to the other
"""

import json
from itertools import pairwise
from reprlib import repr as shortened
from typing import NamedTuple

import numpy as np

from mazelib.errors import MazelibError
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import MAX_SIDE, Sample

BOM = b"\xef\xbb\xbf"
"""What some editors put in front of a text in UTF-8."""


class Question(NamedTuple):
    """A maze with a question; for `key` and `offset` see `MazeSet`."""

    sample: Sample
    key: int = 0
    offset: tuple[int, int] = (0, 0)


def decoded(data: bytes) -> str:
    """The text in UTF-8, without a byte order mark. Raises MazelibError for none."""
    try:
        return data.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        at = f"byte {error.start} is {data[error.start : error.start + 1]!r}"
        raise MazelibError(f"no text in UTF-8: {at}") from None


def parse_json(data: bytes) -> object:
    """The value that a JSON text in UTF-8 holds. Raises MazelibError for none."""
    try:
        return json.loads(decoded(data))
    except json.JSONDecodeError as error:
        place = f"at character {error.pos + 1}"
        raise MazelibError(f"no JSON: {error.msg} {place}") from None
    except RecursionError:
        raise MazelibError("no JSON of mazes: it is nested too deep") from None
    except ValueError as error:
        # an integer of thousands of digits; MazelibError comes here too
        raise MazelibError(str(error).splitlines()[0]) from None


def entry(row: object, name: str) -> object:
    """The value of that name. Raises MazelibError if there is none, or no object."""
    if not isinstance(row, dict):
        raise MazelibError(f"{shortened(row)} is no object with a {name!r}")
    if name not in row:
        raise MazelibError(f"there is no {name!r}")
    return row[name]


def integer(name: str, value: object, low: int, high: int) -> int:
    """The value, if it is an integer from low to high; otherwise a MazelibError."""
    if type(value) is not int or not low <= value <= high:
        raise MazelibError(
            f"{name} is {shortened(value)}, but must be an integer from {low} to {high}"
        )
    return value


def side(value: object) -> int:
    """The side of a grid. Raises MazelibError for what is none."""
    return integer("grid", value, 2, MAX_SIDE)


def sequence(name: str, value: object, length: int | None = None) -> list:
    """The value, if it is a list (of that length); otherwise a MazelibError."""
    if not isinstance(value, list) or length not in (None, len(value)):
        of = "a list" if length is None else f"a list of {length}"
        raise MazelibError(f"{name} is {shortened(value)}, but must be {of}")
    return value


def cell(pair: object, n: int) -> int:
    """The number of the cell [row, col] in a grid of side n, or a MazelibError."""
    row, col = sequence("a cell", pair, 2)
    if type(row) is not int or type(col) is not int:
        raise MazelibError(f"a cell is {shortened(pair)}, but must be two integers")
    if not (0 <= row < n and 0 <= col < n):
        name = f"({shortened(row)},{shortened(col)})"
        raise MazelibError(f"cell {name} is outside a grid of side {n}")
    return row * n + col


def question(
    maze: Maze,
    origin: int,
    target: int,
    path: list[int] | None = None,
    key: int = 0,
    offset: tuple[int, int] = (0, 0),
) -> Question:
    """The question whose answer is `path`, or without one the first shortest path.

    A path need not be a shortest one. Raises MazelibError for a path that does not lead
    from the origin to the target, step by step and through no cell twice, and where
    there is none.
    """
    if path is None:
        path = maze.shortest_path(origin, target).tolist()
    if not path or (path[0], path[-1]) != (origin, target):
        raise MazelibError("the path does not lead from the origin to the target")
    if len(set(path)) < len(path):
        raise MazelibError("the path visits a cell twice")
    for a, b in pairwise(path):
        if b not in maze.neighbours(a):
            raise MazelibError(f"the path steps through a wall, from cell {a} to {b}")
    return Question(Sample(maze, origin, target, np.array(path)), key, offset)
