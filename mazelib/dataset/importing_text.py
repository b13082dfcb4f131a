"""Mazes from text: drawings of three kinds, and lines of tokens.

    for where, piece in pieces("mazes.txt"):
        question_of(piece)

- maze-dataset's drawing, `maze.as_ascii()`: `#` walls, `S` and `E` the ends, `X` the
  path, a sign for each cell, each passage and each place between;
- this package's own, `maze.draw(…).text`: `┼───┼`, or `+---+`, `O` and `X` the ends;
  its paths are not read, since a predicted one may hide the true one;
- tokens, a sequence or a prompt a line, in any of the three schemes.

A blank line ends a drawing. Where a path is not given, it is the first of the shortest.
All lines of tokens of a file fill the same grid: the smallest, from (0,0), that holds
every cell which the file names. The order of their lists is not kept.
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from reprlib import repr as shortened
from typing import NamedTuple

import numpy as np

from mazelib.dataset.checking import Question, decoded, integer, question
from mazelib.errors import MazelibError
from mazelib.mazes.maze import Maze
from mazelib.tokens.parsing import CELL
from mazelib.tokens.tokenizer import MAX_SIDE, WALL, Tokenizer

ASCII = str.maketrans("┼─│·", "+-|.")
SPACED_CELL = re.compile(r"\( ([0-9]{1,9}) , ([0-9]{1,9}) \)")
START = "<ADJLIST_START>"


class Piece(NamedTuple):
    """The lines of one maze; `n` is the side of the grid that tokens fill."""

    lines: list[str]
    n: int | None = None


def pieces(path: str | Path) -> Iterator[tuple[str, Piece]]:
    """Each maze of a text file, and the line where it begins. Raises MazelibError."""
    text = io.StringIO(decoded(Path(path).read_bytes()), newline=None)
    lines = text.read().split("\n")
    tokens = [line for line in lines if line.split()[:1] == [START]]
    n = side_of(tokens) if tokens else None
    drawing, first = [], 0
    for number, line in enumerate([*lines, ""], 1):
        is_tokens = line.split()[:1] == [START]
        if drawing and (is_tokens or not line.strip()):
            yield f"line {first}", Piece(drawing)
            drawing = []
        if is_tokens:
            yield f"line {number}", Piece([line], n)
        elif line.strip():
            first = first if drawing else number
            drawing.append(line.strip())


def side_of(lines: list[str]) -> int:
    """The side of the smallest grid from (0,0) that holds every cell of the lines."""
    most = 1
    for line in lines:
        for pattern in (CELL, SPACED_CELL):
            for found in pattern.finditer(line):
                most = max(most, int(found[1]), int(found[2]))
    return most + 1


def question_of(piece: Piece) -> Question:
    """The maze with its question. Raises MazelibError for what is no maze."""
    if piece.n is not None:
        return from_tokens(piece.lines[0], piece.n)
    corner = piece.lines[0][0]
    if corner == "#":
        return from_pixels(piece.lines)
    if corner in "┼+":
        return from_drawing(piece.lines)
    raise MazelibError(
        f"{shortened(piece.lines[0])} begins no drawing, which begins with # or ┼, and "
        f"no line of tokens, which begins with {START}"
    )


def from_tokens(line: str, n: int) -> Question:
    """The question of a line of tokens, in the scheme that its signs tell."""
    integer("the side of the grid, by the largest coordinate,", n, 2, MAX_SIDE)
    words = set(line.split())
    scheme = "ctt" if "(" in words else "walls" if WALL in words else "ut"
    maze, origin, target, path = Tokenizer(scheme, n).parse(line)
    return question(maze, origin, target, None if path is None else path.tolist())


def grid_of(lines: list[str], wide: int) -> int:
    """The side of a drawing whose cells are two lines high and so many signs wide."""
    n, odd = divmod(len(lines) - 1, 2)
    if odd or not 2 <= n <= MAX_SIDE:
        raise MazelibError(
            f"the drawing has {len(lines)} lines, but a grid of side n, from 2 to "
            f"{MAX_SIDE}, has 2n + 1"
        )
    for line in lines:
        if len(line) != wide * n + 1:
            raise MazelibError(
                f"the drawing has {len(lines)} lines, so each must have "
                f"{wide * n + 1} signs, but one has {len(line)}: {shortened(line)}"
            )
    return n


def check_signs(signs: np.ndarray, known: str, what: str) -> None:
    """Raise MazelibError unless each of the signs is one of the known."""
    if strange := set(signs.ravel().tolist()) - set(known):
        raise MazelibError(f"{min(strange)!r} stands where {what} belongs")


def ends(marks: np.ndarray, first: str, last: str) -> tuple[int, int]:
    """The cells that hold the marks of the origin and the target."""
    found = [np.flatnonzero(marks == mark).tolist() for mark in (first, last)]
    if [len(cells) for cells in found] != [1, 1]:
        raise MazelibError(
            f"the drawing must have one {first}, the origin, and one {last}, the target"
        )
    return found[0][0], found[1][0]


def from_pixels(lines: list[str]) -> Question:
    """The question of a drawing by maze-dataset."""
    grid_of(lines, 2)
    signs = np.array([list(line) for line in lines])
    border = np.concatenate([signs[[0, -1]].ravel(), signs[:, [0, -1]].ravel()])
    check_signs(border, "#", "the outer wall, #,")
    check_signs(signs[::2, ::2], "#", "a corner, #,")
    check_signs(signs[1::2, 1::2], " XSE", "a cell")
    right, down = signs[1::2, 2:-1:2], signs[2:-1:2, 1::2]
    for walls in (right, down):
        check_signs(walls, "# X", "a wall, #, or a gap")
    maze, marks = Maze(right != "#", down != "#"), signs[1::2, 1::2].ravel()
    origin, target = ends(marks, "S", "E")
    if not (signs == "X").any():
        return question(maze, origin, target)
    walked = Maze(right == "X", down == "X")
    if walked.distances(target)[origin] >= 0:
        path = walked.shortest_path(origin, target).tolist()
        on_path = {*np.flatnonzero(marks == "X").tolist(), origin, target}
        if on_path == set(path) and len(walked.edges()) == len(path) - 1:
            return question(maze, origin, target, path)
    raise MazelibError("the X of the drawing are not one path from S to E")


def from_drawing(lines: list[str]) -> Question:
    """The question of a drawing of our own, in its signs or in ASCII."""
    n = grid_of(lines, 4)
    signs = np.array([list(line.translate(ASCII)) for line in lines])
    check_signs(signs[::2, ::4], "+", "a corner, ┼,")
    check_signs(signs[1::2, [0, -1]], "|", "the outer wall, │,")
    check_signs(signs[[0, -1]], "+-", "the outer wall, ───,")
    right = signs[1::2, 4:-1:4]
    check_signs(right, "| ", "a wall, │, or a gap")
    below = signs[2:-1:2, 1:].reshape(n - 1, n, 4)[..., :3]
    check_signs(below, "- ", "a wall, ───, or a gap")
    if (below != below[..., :1]).any():
        raise MazelibError("a wall between two rows, ───, is broken")
    marks = signs[1::2, 2::4]
    check_signs(marks, " OX.+", "O, X or a sign of a path")
    for beside in (signs[1::2, 1::4], signs[1::2, 3::4]):
        check_signs(beside, " ", "a blank beside a cell's sign")
    origin, target = ends(marks.ravel(), "O", "X")
    return question(Maze(right == " ", below[..., 0] == " "), origin, target)
