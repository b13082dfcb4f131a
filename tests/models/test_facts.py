"""Facts kept as JSON are read as they were written, or refused in one line."""

from dataclasses import asdict, replace

import pytest

from mazelib.dataset.stream import StreamConfig
from mazelib.errors import MazelibError
from mazelib.mazes.generators import MazeConfig
from mazelib.models import facts
from mazelib.models.model import MazeModelConfig
from mazelib.training.recipe import TrainConfig

RUN = TrainConfig(StreamConfig(MazeConfig("percolation", 5, p=1), pool=3), weights="x")


def test_making_undoes_asdict():
    assert facts.make(TrainConfig, asdict(RUN), "here") == RUN


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[1e999]", b"[NaN]", b"[-Infinity]"),
        *(b'{"a": 1, "a": 1}', b"9" * 5000, b"[" * 9000 + b"]" * 9000, b"{}\x00"),
    ],
    ids=lambda text: str(text[:16]),
)
def test_what_is_no_json_is_one_line(text, tmp_path):
    (tmp_path / "x").write_bytes(text)
    with pytest.raises(MazelibError, match="x is damaged: ") as caught:
        facts.read(tmp_path / "x")
    assert len(str(caught.value).splitlines()) == 1


def test_what_is_no_file_or_no_object_is_named(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("loop", ".", "none"):
        with pytest.raises(MazelibError, match="cannot be read: "):
            facts.read(tmp_path / name)
    (tmp_path / "x").write_bytes(b"[1]")
    with pytest.raises(MazelibError, match=r"x is damaged: it holds \[1\], no object"):
        facts.read(tmp_path / "x")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("layers", "4", "here: layers is '4', but must be of type int"),
        ("layers", 4.0, "must be of type int"),
        ("layers", True, "must be of type int"),
        ("layers", 10**400, "must be of type int"),
        ("layers", 0, "here: layers is 0, but must be at least 1"),
        ("scheme", ["ut"], r"scheme is \['ut'\], but must be of type str"),
        ("depth", 3, "'depth' means nothing here"),
    ],
)
def test_a_field_that_is_not_right_is_named(name, value, message):
    with pytest.raises(MazelibError, match=message):
        facts.make(MazeModelConfig, asdict(MazeModelConfig()) | {name: value}, "here")


def test_a_field_that_is_missing_is_named_at_any_depth():
    kept = asdict(replace(RUN, weights=None))
    del kept["mazes"]["mazes"]["grid"]
    with pytest.raises(MazelibError, match="here: mazes: mazes is damaged: it has no"):
        facts.make(TrainConfig, kept, "here")
    kept["mazes"] = 7
    with pytest.raises(MazelibError, match="here: mazes is 7, but must be an object"):
        facts.make(TrainConfig, kept, "here")


def test_what_is_no_finite_number_becomes_null():
    kept = {"a": [float("nan"), 1], "b": {"c": float("inf")}, "d": "x", "e": (1.5,)}
    assert facts.finite(kept) == {
        "a": [None, 1],
        "b": {"c": None},
        "d": "x",
        "e": [1.5],
    }
