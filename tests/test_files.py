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
