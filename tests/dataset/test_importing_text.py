"""Drawings and lines of tokens: what is drawn is read, all else is named."""

from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from samples import maze_sets, one_question

from mazelib.dataset.importing_text import ASCII
from mazelib.dataset.storage import read_mazes, to_rows
from mazelib.dataset.stream import MazeSet
from mazelib.errors import MazelibError
from mazelib.tokens.tokenizer import SCHEMES, Tokenizer

SAMPLES = Path(__file__).parents[1] / "data" / "maze-dataset"
TREE = """
#######
#S#  E#
#X###X#
#XXXXX#
###X###
#  X  #
#######
"""
SOLVED = """
#######
#S#  E#
#X###X#
#XXXXX#
### ###
#     #
#######
"""
OWN = """
┼───┼───┼───┼
│ O │     X │
┼   ┼───┼   ┼
│ ·   ·   · │
┼───┼   ┼───┼
│           │
┼───┼───┼───┼
"""


def read(folder: Path, text: str | bytes) -> MazeSet:
    path = folder / "mazes.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_mazes(path)


def refusal(folder: Path, text: str | bytes) -> str:
    """The one line with which a text is refused, after the file's name."""
    with pytest.raises(MazelibError) as refused:
        read(folder, text)
    message = str(refused.value)
    assert len(message.splitlines()) == 1
    return message.removeprefix(str(folder / "mazes.txt"))


def same(found: MazeSet, mazes: MazeSet) -> None:
    for one, other in zip(found, mazes, strict=True):
        assert one.maze == other.maze
        assert (one.origin, one.target) == (other.origin, other.target)
        assert one.path.tolist() == other.path.tolist()


def test_drawings_by_maze_dataset_hold_what_its_tokens_say():
    same(read_mazes(SAMPLES / "drawings.txt"), read_mazes(SAMPLES / "tokens.txt"))
    same(read_mazes(SAMPLES / "unsolved.txt"), read_mazes(SAMPLES / "unsolved.json"))


@pytest.mark.parametrize("signs", [str, lambda text: text.translate(ASCII)])
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mazes=maze_sets())
def test_our_own_drawings_are_read_back(mazes, signs, tmp_path):
    drawings = [sample.draw(sample.path).text for sample in mazes]
    found = read(tmp_path, signs("\n\n".join(drawings)))
    for one, sample in zip(found, mazes, strict=True):
        assert one.maze == sample.maze
        assert (one.origin, one.target) == (sample.origin, sample.target)
        shortest = sample.maze.shortest_path(sample.origin, sample.target)
        assert one.path.tolist() == shortest.tolist()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_lines_of_tokens_are_read_back(few, scheme, tmp_path):
    mazes = one_question(few)
    lines = [row["tokens"] for row in to_rows(mazes, Tokenizer(scheme, 4))]
    found = read(tmp_path, "\n".join(lines))
    same(found, mazes)
    assert not found.key.any()
    prompts = [line.partition("<PATH_START>")[0] + "<PATH_START>" for line in lines]
    same(read(tmp_path, "\n\n".join(prompts)), mazes)


def test_all_lines_fill_the_grid_of_the_largest_coordinate(tmp_path):
    line = (
        "<ADJLIST_START> (0,0) <--> (0,1) ; <ADJLIST_END> <ORIGIN_START> (0,0) "
        "<ORIGIN_END> <TARGET_START> (0,1) <TARGET_END> <PATH_START>"
    )
    assert read(tmp_path, line).n == 2
    found = read(tmp_path, f"{line}\n{line.replace('0,', '4,')}\n")
    assert found.n == 5
    assert found.origin.ravel().tolist() == [0, 20]
    assert read(tmp_path, line.replace("0,", "63,")).n == 64
    said = refusal(tmp_path, line.replace("0,", "64,"))
    assert said.startswith(", line 1: the side of the grid, by the largest coordinate")
    assert read(tmp_path, f"{line.replace('0,', '1,')}\n{SOLVED[:0]}").n == 2


def test_kinds_may_stand_in_one_file(tmp_path):
    text = (
        b"\xef\xbb\xbf\r\n"
        + f"{SOLVED}\n  {OWN.strip()}\n".replace("\n", "\r\n").encode()
    )
    first, second = read(tmp_path, text)
    assert first.maze == second.maze
    assert first.path.tolist() == second.path.tolist() == [0, 3, 4, 5, 2]


def changed(text: str, row: int, col: int, sign: str) -> str:
    lines = text.split("\n")
    lines[row] = lines[row][:col] + sign + lines[row][col + 1 :]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TREE, ", line 2: the X of the drawing are not one path from S to E"),
        (SOLVED.replace("XXXXX", "XX XX"), ", line 2: the X of the drawing"),
        (changed(SOLVED, 2, 1, " "), ", line 2: the drawing must have one S, the"),
        (changed(SOLVED, 2, 3, "E"), ", line 2: the drawing must have one S, the"),
        (changed(SOLVED, 2, 1, "#"), ", line 2: '#' stands where a cell belongs"),
        (changed(SOLVED, 1, 1, " "), ", line 2: ' ' stands where the outer wall"),
        (changed(SOLVED, 3, 2, " "), ", line 2: ' ' stands where a corner, #, belongs"),
        (changed(SOLVED, 3, 1, "O"), ", line 2: 'O' stands where a wall, #, or a gap"),
        (
            SOLVED.replace("XXXXX#", "XXXXX"),
            ", line 2: the drawing has 7 lines, so each",
        ),
        (SOLVED[:-9], ", line 2: the drawing has 6 lines, but a grid of side n"),
        ("#" * 131 + "\n" + SOLVED, ", line 1: the drawing has 1 lines"),
        ("\n".join(["#" * 131] * 131), ", line 1: the drawing has 131 lines"),
        ("###\n#S#\n###", ", line 1: the drawing has 3 lines"),
        (changed(OWN, 2, 2, " "), ", line 2: the drawing must have one O, the origin"),
        (
            changed(OWN, 2, 2, "S"),
            ", line 2: 'S' stands where O, X or a sign of a path",
        ),
        (changed(OWN, 2, 1, "O"), ", line 2: 'O' stands where a blank beside"),
        (changed(OWN, 3, 6, " "), ", line 2: a wall between two rows, ───, is broken"),
        (changed(OWN, 3, 0, "x"), ", line 2: 'x' stands where a corner, ┼, belongs"),
        (changed(OWN, 1, 1, " "), ", line 2: ' ' stands where the outer wall, ───,"),
        (changed(OWN, 2, 0, "x"), ", line 2: 'x' stands where the outer wall, │,"),
        (changed(OWN, 2, 4, "x"), ", line 2: 'x' stands where a wall, │, or a gap"),
        (
            OWN.replace("┼   ┼───┼", "┼───┼───┼"),
            ", line 2: there is no way from cell 0",
        ),
        ("hello\n", ", line 1: 'hello' begins no drawing"),
        ("", " holds no mazes"),
        (b"\xff\xfe#\x00", ": no text in UTF-8: byte 0 is b'\\xff'"),
        ("<ADJLIST_START>", ", line 1: token 1: found 'end of input'"),
        (
            f"{SOLVED}<ADJLIST_START> x",
            ", line 9: token 1: found 'x', expected a token",
        ),
    ],
    ids=count(),
)
def test_what_is_no_drawing_is_named(tmp_path, text, message):
    assert refusal(tmp_path, text).startswith(message)


def test_a_drawn_path_may_touch_itself(tmp_path):
    """Beside itself without a passage marked, it is still one path."""
    text = """
    #######
    #XXX  #
    #X#X# #
    #S E  #
    # # # #
    #     #
    #######"""
    (found,) = read(tmp_path, text)
    assert found.path.tolist() == [3, 0, 1, 4]
    assert np.count_nonzero(found.maze.edges()[:, 0] == 3) == 2
