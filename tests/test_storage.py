import json
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from conftest import maze_sets
from hypothesis import HealthCheck, given, settings

from mazelib.dataset import MazeSet
from mazelib.errors import MazelibError
from mazelib.storage import read_mazes, to_rows, write_mazes
from mazelib.tokenizer import Tokenizer

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
    datasets = pytest.importorskip("datasets")
    write_mazes(tmp_path / "few.parquet", [few], UT4)
    loaded = datasets.load_dataset(
        "parquet",
        data_files=str(tmp_path / "few.parquet"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    assert loaded.num_rows == 120
    assert loaded[0]["tokens"] == next(to_rows(few, UT4))["tokens"]


def rows(few) -> list[dict]:
    return list(to_rows(few[:2], UT4))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.update(origin=[0, 9]), r"row 1: cell \(0,9\) is outside"),
        (lambda r: r.update(path=r["path"][:-1]), "row 1: the path does not lead"),
        (lambda r: r.update(path=[]), "row 1: the path does not lead"),
        (lambda r: r.update(connections=[]), "row 1: the path steps through a wall"),
        (lambda r: r.pop("connections"), "row 1: no column 'connections'"),
        (lambda r: r.update(connections=[[[0, 0], [3, 3]]]), "row 1:.*no neighbours"),
        (lambda r: r.update(path="abc"), "row 1: "),
        (lambda r: r.update(key=-1), "row 1: key is -1"),
        (lambda r: r.update(key=2**65), "row 1: key is"),
        (lambda r: r.update(offset=[-1, 0]), r"row 1: offset is \[-1, 0\]"),
        (lambda r: r.update(offset=[1]), "row 1: "),
        (lambda r: r.update(path=r["path"][:1] * 2 + r["path"][1:]), "cell twice"),
    ],
)
def test_bad_rows_are_named(few, tmp_path, change, message):
    table = rows(few)
    change(table[1])
    path = tmp_path / "bad.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in table))
    with pytest.raises(MazelibError, match=message):
        read_mazes(path)


def test_bad_files_are_named(few, tmp_path):
    for name in ("bad.parquet", "bad.jsonl"):
        (tmp_path / name).write_bytes(b"\xff\xfe not a file of mazes")
        with pytest.raises(MazelibError, match="is no"):
            read_mazes(tmp_path / name)
    with pytest.raises(MazelibError, match=r"end its name in \.parquet or \.jsonl"):
        write_mazes(tmp_path / "few.csv", [few], UT4)
    with pytest.raises(MazelibError, match="no folder"):
        write_mazes(tmp_path / "nowhere" / "few.jsonl", [few], UT4)
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(MazelibError, match="sides"):
        read_mazes(tmp_path / "empty.jsonl")


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
