"""A chapter is run twice as a reader may, and told if that leaves anything behind."""

import json
import subprocess

import pytest

from tools import twice

HEAD = {"kernelspec": {"display_name": "p", "language": "python", "name": "python3"}}


@pytest.fixture
def project(checkout, monkeypatch):
    """A git checkout with one chapter; gives what writes its only cell."""
    (checkout / "book/_toc.yml").write_text("chapters:\n- file: 01_one\n")
    (checkout / ".gitignore").write_text("_build\n")
    monkeypatch.setenv("MAZELIB_BOOK", "1")  # which the chapter must not see

    def write(code: str) -> None:
        cell = {"cell_type": "code", "execution_count": None, "id": "one"}
        cell |= {"metadata": {}, "outputs": [], "source": [code]}
        facts = {"metadata": HEAD, "nbformat": 4, "nbformat_minor": 5}
        path = checkout / "book/01_one.ipynb"
        path.write_text(json.dumps({"cells": [cell], **facts}))
        subprocess.run(["git", "init", "-q"], cwd=checkout, check=True)
        subprocess.run(["git", "add", "-A"], cwd=checkout, check=True)

    return write


def test_it_is_run_elsewhere_twice_and_not_again(project, tmp_path, capsys):
    count = tmp_path / "_build/count"
    project(
        "import os\nassert 'MAZELIB_BOOK' not in os.environ\nassert not os.path.exists("
        f"'book')\nwith open({str(count)!r}, 'a') as file:\n    file.write('.')"
    )
    twice.run()
    assert count.read_text() == ".."
    assert "01_one passed" in capsys.readouterr().out
    twice.run()
    assert count.read_text() == ".."


def test_what_fails_the_second_time_is_told(project, capsys):
    project("assert 'seen' not in globals(), 'it was seen'\nseen = True")
    with pytest.raises(SystemExit, match="it was seen"):
        twice.run()
    assert "01_one failed" in capsys.readouterr().out


def test_what_it_leaves_in_the_project_is_told(project, tmp_path):
    project(f"open({str(tmp_path / 'data/record.json')!r}, 'w').close()")
    with pytest.raises(SystemExit, match="changed files of the project:") as told:
        twice.run()
    assert "?? data/" in str(told.value)
