import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from samples import maze_sets, one_question

from mazelib.dataset.storage import read_mazes, to_rows, write_mazes
from mazelib.dataset.stream import MazeSet, MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.mazes.generators import MazeConfig
from mazelib.mazes.maze import Maze
from mazelib.tokens.tokenizer import Tokenizer

UT4 = Tokenizer("ut", 4)


@pytest.mark.parametrize("ending", [".parquet", ".jsonl"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mazes=maze_sets())
def test_reading_undoes_writing(mazes, ending, tmp_path):
    path = tmp_path / f"mazes{ending}"
    tokenizer = Tokenizer("ut", mazes.n)
    assert write_mazes(path, [mazes[:1], mazes[1:]], tokenizer) == len(mazes)
    again = read_mazes(path)
    for f in fields(MazeSet):
        assert np.array_equal(getattr(again, f.name), getattr(mazes, f.name)), f.name


def test_a_row_a_question(few, tmp_path):
    path = tmp_path / "few.jsonl"
    assert write_mazes(path, [few], UT4) == 120
    assert len(read_mazes(path)) == 120


def test_pandas_opens_the_columns(few, tmp_path):
    write_mazes(tmp_path / "few.parquet", [few], UT4)
    frame = pd.read_parquet(tmp_path / "few.parquet")
    assert len(frame) == 120
    row, sample = frame.iloc[1], few.sample(0, 1)
    assert row.grid == 4
    assert row.origin.tolist() == list(divmod(sample.origin, 4))
    assert [c.tolist() for c in row.path] == [list(divmod(c, 4)) for c in sample.path]
    assert len(row.connections) == 15
    assert UT4.parse(row.tokens).maze == sample.maze


def test_hugging_face_datasets_opens_it(few, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    write_mazes(tmp_path / "few.parquet", [few], UT4)
    loaded = datasets.load_dataset(
        "parquet",
        data_files=str(tmp_path / "few.parquet"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    assert loaded.num_rows == 120
    assert loaded[0]["tokens"] == next(to_rows(few, UT4))["tokens"]


# ── keys of 64 bits ──

KEYS = [2**64 - 1, 2**53 + 1, 0]


@pytest.fixture
def keyed(few) -> MazeSet:
    """Three mazes whose keys a float cannot hold."""
    return replace(one_question(few[:3]), key=np.array(KEYS, np.uint64))


@pytest.mark.parametrize("ending", [".parquet", ".jsonl"])
def test_keys_survive_datasets_and_come_back(keyed, tmp_path, monkeypatch, ending):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    path = tmp_path / f"keyed{ending}"
    write_mazes(path, [keyed], UT4)
    kind = "json" if ending == ".jsonl" else "parquet"
    loaded = datasets.load_dataset(
        kind, data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [int(str(key), 0) for key in loaded["key"]] == KEYS
    loaded.to_json(tmp_path / "again.jsonl")
    loaded.to_parquet(tmp_path / "again.parquet")
    for again in ("again.jsonl", "again.parquet"):
        assert read_mazes(tmp_path / again).key.tolist() == KEYS


def test_keys_survive_pandas(keyed, tmp_path):
    """Which takes even digits in quotes for a float."""
    write_mazes(tmp_path / "keyed.jsonl", [keyed], UT4)
    frame = pd.read_json(tmp_path / "keyed.jsonl", lines=True)
    assert [int(key, 0) for key in frame.key] == KEYS
    frame.to_json(tmp_path / "again.jsonl", orient="records", lines=True)
    assert read_mazes(tmp_path / "again.jsonl").key.tolist() == KEYS
    write_mazes(tmp_path / "keyed.parquet", [keyed], UT4)
    assert pd.read_parquet(tmp_path / "keyed.parquet").key.tolist() == KEYS


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("form", [int, str, hex])
def test_a_key_is_read_in_hexadecimal_in_digits_or_as_a_number(
    few, tmp_path, key, form
):
    path = written(tmp_path, [rows(few)[0] | {"key": form(key)}])
    assert read_mazes(path).key.tolist() == [key]


# ── what is refused ──


def rows(few) -> list[dict]:
    return list(to_rows(few[:2], UT4))


def written(folder: Path, table: list, ending: str = ".jsonl") -> Path:
    path = folder / f"rows{ending}"
    path.write_text("".join(json.dumps(row) + "\n" for row in table))
    return path


def refusal(path: Path) -> str:
    """The one line with which a file is refused, which names it."""
    with pytest.raises(MazelibError) as refused:
        read_mazes(path)
    message = str(refused.value)
    assert len(message.splitlines()) == 1
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


NOT_INTEGERS = [5.5, 4.0, True, "4", float("nan"), 1e3, None, [4], {}, 10**9, -1]


@pytest.mark.parametrize("value", NOT_INTEGERS, ids=repr)
def test_only_an_integer_in_range_is_an_integer(few, tmp_path, value):
    row = rows(few)[1]
    changes = {
        "grid": {"grid": value},
        "cell": {"origin": [value, 0]},
        "path": {"path": [[0, value], *row["path"][1:]]},
        "connection": {"connections": [[[0, 0], [0, value]]]},
        "offset": {"offset": [0, value]},
    }
    for name, change in changes.items():
        message = refusal(written(tmp_path, [row, row | change]))
        assert message.startswith(", line 2: "), name
        said = ("must be an integer", "must be two integers", "outside a grid")
        assert any(words in message for words in said), name


@pytest.mark.parametrize(
    "key",
    [1.5, 1.0, True, "", "x", "-1", "1.5", "1e3", "0X1", "0b1", "٣", [], 2**64, -1],
)
def test_a_key_that_was_rounded_or_is_none_is_refused(few, tmp_path, key):
    path = written(tmp_path, [rows(few)[0] | {"key": key}])
    assert refusal(path).startswith(", line 1: key is ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.update(origin=[0, 9]), r"cell (0,9) is outside"),
        (lambda r: r.update(origin=[0]), "a cell is [0], but must be a list of 2"),
        (lambda r: r.update(path=r["path"][:-1]), "the path does not lead"),
        (lambda r: r.update(path=[]), "the path does not lead"),
        (lambda r: r.update(connections=[]), "the path steps through a wall"),
        (lambda r: r.update(connections=5), "connections is 5, but must be a list"),
        (lambda r: r.pop("connections"), "there is no 'connections'"),
        (lambda r: r.pop("grid"), "there is no 'grid'"),
        (lambda r: r.update(connections=[[[0, 0], [3, 3]]]), "are no neighbours"),
        (lambda r: r.update(path="abc"), "path is 'abc', but must be a list"),
        (lambda r: r.update(key=-1), "key is -1"),
        (lambda r: r.update(offset=[-1, 0]), "offset is -1"),
        (lambda r: r.update(offset=[1]), "offset is [1], but must be a list of 2"),
        (lambda r: r.update(path=r["path"][:1] * 2 + r["path"][1:]), "a cell twice"),
        (lambda r: r.update(path=None, connections=[]), "there is no way"),
    ],
)
def test_bad_rows_are_named(few, tmp_path, change, message):
    table = rows(few)
    change(table[1])
    said = refusal(written(tmp_path, table))
    assert said.startswith(", line 2: ")
    assert message in said


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", " holds no mazes"),
        (b"\n \n", " holds no mazes"),
        (b"\xef\xbb\xbf", " holds no mazes"),
        (b"\n[1]\n", ", line 2: [1] is no object"),
        (b"{}", ", line 1: there is no 'grid'"),
        (b'{"grid": 4', ", line 1: no JSON: Expecting ',' delimiter at character"),
        (b"\xff\xfe not text", ", line 1: no text in UTF-8: byte 0 is b'\\xff'"),
        ('{"grid": 4}'.encode("utf-16"), ", line 1: no text in UTF-8"),
        (b"[" * 10**5, ", line 1: no JSON of mazes: it is nested too deep"),
        (b'{"grid": ' + b"9" * 5000 + b"}", ", line 1: Exceeds the limit"),
        (b"4", ", line 1: 4 is no object"),
    ],
)
def test_damaged_json_lines_are_refused_in_one_line(tmp_path, data, message):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(data)
    assert refusal(path).startswith((message, f":{message}"))


def test_blank_lines_and_a_byte_order_mark_are_passed_over(few, tmp_path):
    path = written(tmp_path, rows(few))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n\r\n"))
    assert len(read_mazes(path)) == 6


def test_without_a_path_it_is_the_first_of_the_shortest(few, tmp_path):
    table = rows(few)
    del table[0]["path"]
    table[1]["path"] = None
    again = read_mazes(written(tmp_path, table))
    for i, sample in enumerate(again):
        assert sample.path.tolist() == few.sample(i // 3, i % 3).path.tolist()


def parquet(folder: Path, few, **changes) -> Path:
    """A Parquet file of one row some of whose columns are changed."""
    row = rows(few)[0]
    row |= {"key": int(row["key"], 0)} | changes
    table = {name: pa.array([value]) for name, value in row.items() if name != "key"}
    kind = pa.uint64() if isinstance(row["key"], int) else None
    table["key"] = pa.array([row["key"]], kind)
    path = folder / "bad.parquet"
    pq.write_table(pa.table(table), path)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grid": 4.0}, "grid is 4.0, but must be an integer"),
        ({"grid": "4"}, "grid is '4', but must be an integer"),
        ({"grid": 10**9}, "grid is 1000000000, but must be an integer from 2 to 64"),
        ({"origin": [0.0, 1.0]}, "a cell is [0.0, 1.0], but must be two"),
        ({"path": "abc"}, "path is 'abc', but must be a list"),
        ({"path": [1, 2]}, "a cell is 1, but must be a list of 2"),
        ({"connections": {"a": 1}}, "connections is {'a': 1}, but must be a list"),
        ({"key": 1.5}, "key is 1.5"),
        ({"target": None}, "a cell is None, but must be a list of 2"),
    ],
)
def test_columns_of_another_type_are_refused(few, tmp_path, changes, message):
    assert refusal(parquet(tmp_path, few, **changes)).startswith(f", row 0: {message}")


def test_damaged_parquet_is_refused_in_one_line(few, tmp_path):
    path = tmp_path / "few.parquet"
    write_mazes(path, [few], UT4)
    whole = path.read_bytes()
    for data in (b"", b"PAR1", whole[:-1], whole[: len(whole) // 2], whole[1:]):
        path.write_bytes(data)
        assert refusal(path).startswith(": no Parquet file, or damaged after row 0: ")
    pq.write_table(pa.table({"text": ["a"]}), path)
    assert refusal(path).startswith(", row 0: there is no 'grid'")
    pq.write_table(pa.table({"grid": pa.array([], pa.int16())}), path)
    assert refusal(path) == " holds no mazes"


def test_a_row_of_more_numbers_than_a_maze_has_is_not_read(few, tmp_path):
    path = parquet(tmp_path, few, connections=[[[0, 0], [0, 1]]] * 10**5)
    assert path.stat().st_size < 10**5
    assert refusal(path).endswith(": more numbers than mazes of side 64 have")


def test_a_row_of_the_largest_open_field_is_read(tmp_path):
    field = Maze(np.ones((64, 63), bool), np.ones((63, 64), bool))
    row = {
        "grid": 64,
        "origin": [0, 0],
        "target": [63, 63],
        "connections": np.stack(np.divmod(field.edges(), 64), -1).tolist(),
    }
    path = tmp_path / "field.parquet"
    pq.write_table(pa.table({name: [value] for name, value in row.items()}), path)
    assert read_mazes(path)[0].maze == field


def test_a_bit_of_a_page_that_changed_is_seen(few, tmp_path):
    """By its checksum; it would be read as another key otherwise."""
    path = tmp_path / "few.parquet"
    write_mazes(path, [few], UT4)
    data = bytearray(path.read_bytes())
    data[data.index(int(few.key[5]).to_bytes(8, "little"))] ^= 1
    path.write_bytes(data)
    assert refusal(path).startswith(": no Parquet file, or damaged after row 0: ")


def test_files_that_cannot_be_read_are_named(few, tmp_path):
    assert refusal(tmp_path / "none.jsonl") == (
        " cannot be read: No such file or directory"
    )
    for ending in (".parquet", ".jsonl", ".json", ".zanj", ".txt"):
        (tmp_path / f"folder{ending}").mkdir()
        assert " cannot be read: " in refusal(tmp_path / f"folder{ending}")


def test_endings_say_what_can_be_read_and_written(few, tmp_path):
    known = r"end its name in \.parquet, \.jsonl, \.json, \.zanj or \.txt"
    with pytest.raises(MazelibError, match=known):
        read_mazes(tmp_path / "few.csv")
    for name in ("few.csv", "few.zanj", "few.txt"):
        with pytest.raises(MazelibError, match=r"end its name in \.parquet or \.jsonl"):
            write_mazes(tmp_path / name, [few], UT4)
    with pytest.raises(MazelibError, match="no folder"):
        write_mazes(tmp_path / "nowhere" / "few.jsonl", [few], UT4)


def test_mazes_of_two_sides_are_refused(few, tmp_path):
    larger = MazeStream(StreamConfig(MazeConfig("dfs", 5))).take(0, 1)
    table = rows(few) + list(to_rows(larger, Tokenizer("ut", 5)))
    assert "holds mazes of sides [4, 5]" in refusal(written(tmp_path, table))


@pytest.mark.parametrize("name", ["few.jsonl", "few.parquet"])
def test_a_failed_write_leaves_the_old_file(few, tmp_path, name):
    path = tmp_path / name
    write_mazes(path, [few[:1]], UT4)
    before = path.read_bytes()

    def failing():
        yield few
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_mazes(path, failing(), UT4)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [name]
