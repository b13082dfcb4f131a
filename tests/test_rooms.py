"""Each folder of mazelib says what comes in and goes out, and hands on its names."""

import importlib
from pathlib import Path

import pytest

import mazelib

FOLDER = Path(mazelib.__file__).parent
ROOMS = sorted(
    path.name for path in FOLDER.iterdir() if (path / "__init__.py").exists()
)
PUBLIC = [room for room in ROOMS if room != "commands"]


@pytest.mark.parametrize("room", PUBLIC)
def test_a_room_hands_on_every_name_that_it_lists(room):
    """Names are loaded when they are first used, so a wrong one would not be seen."""
    module = importlib.import_module(f"mazelib.{room}")
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("room", PUBLIC)
def test_a_room_says_what_comes_in_and_what_goes_out(room):
    said = importlib.import_module(f"mazelib.{room}").__doc__
    assert "\nIn: " in said
    assert " Out: " in said.replace("\n", " ")


def test_nothing_but_rooms_lies_on_the_landing():
    files = {path.name for path in FOLDER.glob("*.py")}
    assert files == {"__init__.py", "__main__.py", "errors.py", "files.py"}
    assert len(ROOMS) == 11


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_of_the_package_has_one_of_the_tests(room):
    assert list((Path(__file__).parent / room).glob("test_*.py"))
