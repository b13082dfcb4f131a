"""Mazes that the maze-dataset library saved, in its JSON or its ZANJ archives.

    for where, maze in serialized_mazes("mazes.json"):
        question_of(maze)

`MazeDataset.serialize()` as JSON and `MazeDataset.save` (a zip of JSON and .npy) are
read in its three forms, `MazeDataset`, `MazeDataset:minimal` and `…:minimal_soln_cat`,
as are single mazes, and lists of them. A maze without a solution gets the first of the
shortest paths. Nothing is unpickled, no code named in a file is called, and what a
small archive may unpack to is bounded. Its drawings are
`mazelib.dataset.importing_text`'s.
"""

import io
import math
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from reprlib import repr as shortened
from typing import NamedTuple

import numpy as np

from mazelib.dataset.checking import (
    Question,
    cell,
    entry,
    integer,
    parse_json,
    question,
    sequence,
    side,
)
from mazelib.errors import MazelibError
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import MAX_SIDE

FORMAT = "__muutils_format__"
MAIN = "__zanj__.json"
"""The member of an archive that refers to the others."""
MAX_UNPACKED = 2**28
"""The most bytes that an archive may unpack to."""


class Stored(NamedTuple):
    """One maze as it is stored: array forms not yet opened, `None` for what is not."""

    connections: object
    start: object
    end: object
    solution: object
    read: Callable[[str], bytes]


# ── files ──


def serialized_mazes(path: str | Path) -> Iterator[tuple[str, Stored]]:
    """Each maze of a JSON file, and where it stands. Raises MazelibError."""

    def read(name: str) -> bytes:
        raise MazelibError(f"it refers to {name!r}, which only a .zanj file can hold")

    yield from mazes_in(parse_json(Path(path).read_bytes()), read)


def archived_mazes(path: str | Path) -> Iterator[tuple[str, Stored]]:
    """Each maze of a ZANJ archive, and where it stands. Raises MazelibError."""
    with open(path, "rb") as file:
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # a damaged list of members raises many kinds
            raise MazelibError(f"no ZANJ archive: {_line(error)}") from None
        left = MAX_UNPACKED

        def read(name: str) -> bytes:
            nonlocal left
            data = unpacked(archive, name, left)
            left -= len(data)
            return data

        yield from mazes_in(parse_json(read(MAIN)), read)


def unpacked(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """A member of an archive, of at most that many bytes. Raises MazelibError."""
    try:
        member = archive.getinfo(name)
    except KeyError:
        raise MazelibError(f"no ZANJ archive: it has no member {name!r}") from None
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise MazelibError(f"the member {name!r} is packed in another way than a zip's")
    if member.file_size > most:
        raise MazelibError(
            f"the archive unpacks to more than {MAX_UNPACKED >> 20} MiB: save fewer "
            "mazes to a file"
        )
    try:
        with archive.open(member) as opened:
            # with a size, since without one a member may unpack to more than it says
            data = opened.read(member.file_size) if member.file_size else b""
    except Exception as error:  # as above
        raise MazelibError(f"the member {name!r} is damaged: {_line(error)}") from None
    if len(data) != member.file_size:
        raise MazelibError(f"the member {name!r} is cut short")
    return data


def _line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


# ── what they hold ──


def mazes_in(value: object, read) -> Iterator[tuple[str, Stored]]:
    """Each maze of a data set, a list of mazes or one maze, and where it stands."""
    if isinstance(value, dict) and "connection_list" in value:
        mazes = iter([stored(value, read)])
    elif isinstance(value, dict) and "maze_connection_lists" in value:
        mazes = concatenated(value, read)
    elif isinstance(value, dict) and "mazes" in value:
        mazes = (stored(maze, read) for maze in items(value["mazes"], read))
    elif isinstance(value, list):
        mazes = (stored(maze, read) for maze in value)
    elif isinstance(value, dict) and "maze_datasets" in value:
        raise MazelibError("a collection of data sets: save each to a file of its own")
    else:
        raise MazelibError(
            "no file of maze-dataset: it has no 'mazes', 'maze_connection_lists' or "
            "'connection_list' (JSON lines belong in a .jsonl file)"
        )
    yield from ((f"maze {number}", maze) for number, maze in enumerate(mazes))


def items(value: object, read) -> Iterator[object]:
    """The items of a list, which an archive may hold as a member of JSON lines."""
    if isinstance(value, dict) and value.get(FORMAT) == "list:external":
        lines = read(reference(value)).splitlines()
        return (parse_json(line) for line in lines)
    return iter(sequence("mazes", value))


def stored(value: object, read) -> Stored:
    """One maze that stands on its own."""
    if isinstance(value, dict) and "connection_list" in value:
        names = ("connection_list", "start_pos", "end_pos", "solution")
        return Stored(*(value.get(name) for name in names), read)
    raise MazelibError(f"{shortened(value)} is no maze with a 'connection_list'")


def concatenated(value: dict, read) -> Iterator[Stored]:
    """The mazes of a data set whose arrays are stored as one each."""

    def array(name: str, kind: type) -> np.ndarray:
        return opened(name, entry(value, name), kind, read)

    connections = array("maze_connection_lists", bool)
    lengths = array("maze_solution_lengths", int)
    if lengths.ndim != 1 or connections.ndim != 4 or len(lengths) != len(connections):
        raise MazelibError(
            f"maze_connection_lists have shape {connections.shape} and "
            f"maze_solution_lengths {lengths.shape}: they do not go together"
        )
    ends = [integer("a solution's length", k, 1, MAX_SIDE**2) for k in lengths.tolist()]
    if "maze_solutions_concat" in value:
        solutions = array("maze_solutions_concat", int)
        if sum(ends) != len(solutions):
            raise MazelibError(
                "maze_solutions_concat is not as long as the lengths say"
            )
        parts = np.split(solutions, np.cumsum(ends)[:-1]) if ends else []
    else:
        padded = array("maze_solutions", int)
        if padded.ndim != 3 or len(padded) != len(ends):
            raise MazelibError(f"maze_solutions have shape {padded.shape}")
        if max(ends, default=0) > padded.shape[1]:
            raise MazelibError("a solution is longer than the room that it has")
        parts = [cells[:end] for cells, end in zip(padded, ends, strict=True)]
    for maze, solution in zip(connections, parts, strict=True):
        yield Stored(maze, None, None, solution, read)


def question_of(maze: Stored) -> Question:
    """The maze with its question, checked. Raises MazelibError for what is none."""
    passages = opened("connection_list", maze.connections, bool, maze.read)
    if passages.ndim != 3:
        raise MazelibError(f"a connection list has shape {passages.shape}")
    n = side(passages.shape[1])
    lattice = Maze.from_connection_list(passages)

    path = None
    if maze.solution is not None:
        solution = opened("solution", maze.solution, int, maze.read)
        path = [cell(pair, n) for pair in solution.tolist()]

    def end(name: str, value: object, at: int) -> int:
        if value is not None:
            return cell(opened(name, value, int, maze.read).tolist(), n)
        if not path:
            raise MazelibError(f"the maze has no {name} and no solution")
        return path[at]

    origin, target = end("start_pos", maze.start, 0), end("end_pos", maze.end, -1)
    return question(lattice, origin, target, path)


# ── arrays ──


def reference(value: dict) -> str:
    """The name of the member that holds a value."""
    name = value.get("$ref")
    if not isinstance(name, str):
        raise MazelibError(f"{shortened(name)} names no member of the archive")
    return name


def opened(name: str, value: object, kind: type, read) -> np.ndarray:
    """An array of bool or int, from a list or a .npy. Raises MazelibError for others.

    A list's items must all be of that kind: numpy itself would take True for 1.
    """
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, dict) and value.get(FORMAT) == "numpy.ndarray:external":
        return from_npy(read(reference(value)), kind)
    if isinstance(value, dict) and value.get(FORMAT) == "numpy.ndarray:array_list_meta":
        value = value.get("data")
    try:
        is_list = isinstance(value, list)
        if is_list and {type(item) for item in np.array(value, object).flat} <= {kind}:
            return np.array(value, kind)
    except (ValueError, OverflowError):  # ragged lists; too large an integer
        pass
    raise MazelibError(
        f"{name} is {shortened(value)}, but must be a list or a .npy of {kind.__name__}"
    )


def from_npy(data: bytes, kind: type) -> np.ndarray:
    """The array of a .npy file. Raises MazelibError for a damaged or another one."""
    file = io.BytesIO(data)
    try:
        with warnings.catch_warnings(action="error"):  # of a header of long ago
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"version {version}")
            header = np.lib.format.read_array_header_1_0(file)
    except Exception as error:  # numpy reads the header as Python, which fails in many
        raise MazelibError(f"a .npy member is damaged: {_line(error)}") from None
    shape, by_column, dtype = header
    rest = data[file.tell() :]
    if dtype.kind not in {bool: "b", int: "iu"}[kind] or by_column:
        raise MazelibError(
            f"a .npy member holds {dtype}, but must hold {kind.__name__}"
        )
    if not 0 < len(shape) <= 4 or min(shape) < 0:
        raise MazelibError(f"a .npy member has the shape {shortened(shape)}")
    if math.prod(shape) * dtype.itemsize != len(rest):
        raise MazelibError(f"a .npy member is too short or long for its shape {shape}")
    if kind is bool and max(rest, default=0) > 1:
        raise MazelibError("a .npy member of bool holds other values than 0 and 1")
    array = np.frombuffer(rest, dtype) if rest else np.empty(0, dtype)
    return array.reshape(shape)
