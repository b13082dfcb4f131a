"""maze-dataset's own files, its tokens of the same mazes, and files made to harm."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mazelib.dataset import importing
from mazelib.dataset.storage import read_mazes
from mazelib.errors import MazelibError
from mazelib.tokens.tokenizer import Tokenizer

SAMPLES = Path(__file__).parents[1] / "data" / "maze-dataset"
LINES = (SAMPLES / "tokens.txt").read_text().splitlines()
"""The four mazes of each sample, as maze-dataset printed them."""
FORMS = ("full", "minimal", "concatenated")


@pytest.mark.parametrize(
    "name",
    [f"{form}{ending}" for form in FORMS for ending in (".json", ".zanj")]
    + [f"{form}-inline.zanj" for form in FORMS],
)
def test_the_mazes_are_those_that_maze_dataset_prints(name):
    mazes = read_mazes(SAMPLES / name)
    assert len(mazes) == 4
    for line, found in zip(LINES, mazes, strict=True):
        maze, origin, target, path = Tokenizer("ut", 5).parse(line)
        assert found.maze == maze
        assert (found.origin, found.target) == (origin, target)
        assert found.path.tolist() == path.tolist()


def test_a_maze_alone_and_mazes_without_a_solution():
    (alone,) = read_mazes(SAMPLES / "maze.json")
    assert alone.path.tolist() == Tokenizer("ut", 5).parse(LINES[0]).path.tolist()
    for line, found in zip(LINES, read_mazes(SAMPLES / "unsolved.json"), strict=True):
        maze, origin, target, path = Tokenizer("ut", 5).parse(line)
        assert found.maze == maze
        assert found.path.tolist() == maze.shortest_path(origin, target).tolist()
        assert len(found.path) == len(path)


# ── what is refused ──


def refusal(path: Path, data: object) -> str:
    """The one line with which a file is refused, after its name."""
    path.write_bytes(data if isinstance(data, bytes) else json.dumps(data).encode())
    with pytest.raises(MazelibError) as refused:
        read_mazes(path)
    message = str(refused.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


def sample(name: str) -> dict:
    return json.loads((SAMPLES / name).read_text())


def array(data: list) -> dict:
    return {importing.FORMAT: "numpy.ndarray:array_list_meta", "data": data}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"connection_list": 5}, "connection_list is 5, but must be a list or a .npy"),
        ({"connection_list": array([[[0, 1], [1, 0]]])}, "must be a list or a .npy of"),
        ({"connection_list": array([[True], [True, False]])}, "must be a list or a"),
        ({"connection_list": array([True])}, "a connection list has shape (1,)"),
        ({"connection_list": [[[True] * 5] * 3] * 2}, "has shape (2, n, n), not"),
        ({"connection_list": [[[True] * 5] * 5] * 2}, "the last row or column"),
        ({"connection_list": [[[False] * 65] * 65] * 2}, "grid is 65, but must be"),
        ({"connection_list": [[[False]]] * 2}, "grid is 1, but must be an integer"),
        ({"solution": array([[0, 3.0]])}, "solution is [[0, 3.0]], but must be a list"),
        ({"solution": array([[0, True]])}, "solution is [[0, True]], but must be a"),
        ({"solution": array([[0, 10**30]])}, "solution is [[0, 1000"),
        ({"solution": array([])}, "the path does not lead"),
        ({"solution": 7}, "solution is 7, but must be a list"),
        ({"solution": [7]}, "a cell is 7, but must be a list of 2"),
        ({"solution": [[0, 3]]}, "the path does not lead"),
        ({"solution": [[0, 9]]}, "cell (0,9) is outside a grid of side 5"),
        ({"start_pos": [0, -1]}, "cell (0,-1) is outside a grid of side 5"),
        ({"start_pos": None, "solution": None}, "the maze has no start_pos and no"),
        (
            {"solution": {importing.FORMAT: "numpy.ndarray:array_hex_meta"}},
            "solution is",
        ),
        (
            {"solution": {importing.FORMAT: "numpy.ndarray:external", "$ref": "a.npy"}},
            "it refers to 'a.npy', which only a .zanj file can hold",
        ),
        ({"solution": {importing.FORMAT: "numpy.ndarray:external"}}, "None names no"),
    ],
)
def test_what_is_no_maze_is_named(tmp_path, changes, message):
    maze = sample("maze.json")
    said = refusal(tmp_path / "bad.json", [maze, maze | changes])
    assert said.startswith(f", maze 1: {message}") or message in said
    assert said.startswith(", maze 1: ")


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("minimal.json", {"maze_solution_lengths": [5] * 3}, "do not go together"),
        ("minimal.json", {"maze_solution_lengths": [99] * 4}, "than the room"),
        (
            "minimal.json",
            {"maze_solution_lengths": [0] * 4},
            "a solution's length is 0",
        ),
        (
            "minimal.json",
            {"maze_solution_lengths": [2**62] * 4},
            "solution's length is",
        ),
        ("minimal.json", {"maze_solutions": [[1]]}, "maze_solutions have shape (1, 1)"),
        ("minimal.json", {"maze_solutions": None}, "maze_solutions is None"),
        ("concatenated.json", {"maze_solution_lengths": [5] * 4}, "as the lengths say"),
        ("concatenated.json", {"maze_connection_lists": [True] * 4}, "go together"),
        ("full.json", {"mazes": 5}, "mazes is 5, but must be a list"),
        ("full.json", {"mazes": [5]}, "5 is no maze with a 'connection_list'"),
        ("full.json", {"mazes": []}, "holds no mazes"),
    ],
)
def test_data_sets_that_contradict_themselves_are_refused(
    tmp_path, name, changes, message
):
    assert message in refusal(tmp_path / "bad.json", sample(name) | changes)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", ": no JSON: Expecting value at character 1"),
        (b"5", ": no file of maze-dataset: it has no 'mazes'"),
        (b"{}", ": no file of maze-dataset: it has no 'mazes'"),
        (b'{"grid": 4}\n{"grid": 4}', ": no JSON: Extra data"),
        (b'{"maze_datasets": []}', ": a collection of data sets: save each to a file"),
        (b"[" * 10**5, ": no JSON of mazes: it is nested too deep"),
        (b"\xff", ": no text in UTF-8"),
    ],
)
def test_other_json_is_refused(tmp_path, data, message):
    assert refusal(tmp_path / "bad.json", data).startswith(message)


# ── archives ──


def archive(members: dict[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return file.getvalue()


def members(name: str = "minimal.zanj") -> dict[str, bytes]:
    with zipfile.ZipFile(SAMPLES / name) as archive:
        return {member: archive.read(member) for member in archive.namelist()}


def npy(array: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def test_archives_that_are_none_are_refused(tmp_path):
    path = tmp_path / "bad.zanj"
    whole = archive(members())
    for data in (b"", b"PK", whole[:-30], whole[: len(whole) // 2]):
        assert refusal(path, data).startswith(": no ZANJ archive: ")
    assert refusal(path, archive({})) == (
        ": no ZANJ archive: it has no member '__zanj__.json'"
    )
    without = {k: v for k, v in members().items() if k != "maze_solutions.npy"}
    assert "no member 'maze_solutions.npy'" in refusal(path, archive(without))
    packed = archive(members(), zipfile.ZIP_LZMA)
    assert "is packed in another way than a zip's" in refusal(path, packed)
    at = whole.index(b"maze_solutions.npy") + len("maze_solutions.npy") + 40
    damaged = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    assert "the member 'maze_solutions.npy' is damaged" in refusal(path, damaged)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a .npy member is damaged"),
        (b"\x93NUMPY", "a .npy member is damaged"),
        (b"\x93NUMPY\x01\x00\x10\x27" + b"(" * 10000, "a .npy member is damaged"),
        (npy(np.array([5, 5, 8, 5], object), allow_pickle=True), "holds object, but"),
        (npy(np.ones(4)), "holds float64, but must hold int"),
        (npy(np.ones(4, bool)), "holds bool, but must hold int"),
        (npy(np.ones((4, 4), int, order="F")), "holds int64, but must hold int"),
        (npy(np.array(4)), "a .npy member has the shape ()"),
        (npy(np.ones((1,) * 40, int)), "a .npy member has the shape (1, 1"),
        (npy(np.ones(4, int))[:-1], "too short or long for its shape (4,)"),
        (npy(np.ones(4, int)) + b"x", "too short or long for its shape (4,)"),
        (npy(np.ones(4, int)).replace(b"(4,)", b"(-4,)"), "a .npy member"),
        (npy(np.ones(4, int)).replace(b"(4,), }  ", b"(4000,), }"), "too short or"),
    ],
)
def test_arrays_that_are_none_are_refused(tmp_path, data, message):
    """The object array too, which only pickle could open."""
    changed = archive(members() | {"maze_solution_lengths.npy": data})
    assert message in refusal(tmp_path / "bad.zanj", changed)


def test_a_bool_is_0_or_1(tmp_path):
    whole = members()
    name = "maze_connection_lists.npy"
    changed = archive(whole | {name: whole[name][:-1] + b"\x02"})
    assert "other values than 0 and 1" in refusal(tmp_path / "bad.zanj", changed)


def test_what_an_archive_unpacks_to_is_bounded(tmp_path, monkeypatch):
    whole = members("full.zanj")
    size = sum(map(len, whole.values()))
    monkeypatch.setattr(importing, "MAX_UNPACKED", size)
    path = tmp_path / "mazes.zanj"
    path.write_bytes(archive(whole))
    assert len(read_mazes(path)) == 4
    whole["mazes/3/solution.npy"] = bytes(size)
    assert ", maze 3: the archive unpacks to more than" in refusal(path, archive(whole))


def test_a_member_that_lies_about_its_size_is_not_unpacked(tmp_path):
    """Ten million bytes that say they are fifty: no more than fifty are unpacked."""
    whole = members()
    name = "maze_solutions.npy"
    data = bytearray(archive(whole | {name: bytes(10**7)}))
    size = (10**7).to_bytes(4, "little")
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = (50).to_bytes(4, "little")
    assert f"the member {name!r} is damaged: Bad CRC" in refusal(
        tmp_path / "bad.zanj", bytes(data)
    )
