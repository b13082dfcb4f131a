import os

import pytest

from mazelib.errors import MazelibError
from mazelib.files import replacing, replacing_folder


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as temporary:
        temporary.write_text("one")
    assert path.read_text() == "one"

    def fail():
        with replacing(path) as temporary:
            temporary.write_text("two")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "one"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "deep" / "model"
    for text in ("one", "two"):
        with replacing_folder(folder) as temporary:
            (temporary / f"{text}.txt").write_text(text)
    assert [p.name for p in folder.iterdir()] == ["two.txt"]

    def fail():
        with replacing_folder(folder) as temporary:
            (temporary / "three.txt").write_text("three")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [p.name for p in folder.iterdir()] == ["two.txt"]
    assert [p.name for p in folder.parent.iterdir()] == ["model"]


def test_a_missing_folder_is_named(tmp_path):
    with (
        pytest.raises(MazelibError, match="no folder"),
        replacing(tmp_path / "no" / "a.txt"),
    ):
        pass


def test_a_folder_that_cannot_be_renamed_leaves_the_old_one(tmp_path, monkeypatch):
    folder = tmp_path / "model"
    with replacing_folder(folder) as temporary:
        (temporary / "one.txt").write_text("one")
    rename = os.replace

    def full_disk(source, target):
        if str(source).endswith(".tmp"):
            raise OSError("disk")
        rename(source, target)

    def write():
        with replacing_folder(folder) as temporary:
            (temporary / "two.txt").write_text("two")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="disk"):
        write()
    assert [p.name for p in folder.iterdir()] == ["one.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
