"""The numbers in the chapters' text are those of their runs; a command writes them."""

import json

import pytest

from mazelib.errors import MazelibError
from mazelib.evidence.numbers import FORMAT, written
from tools import book, chapters, fill_numbers

NAMES = [path.stem for path in sorted(chapters.SOURCE.glob("*.ipynb"))]


@pytest.mark.parametrize("chapter", NAMES)
def test_every_number_in_the_text_is_what_the_run_gave(chapter):
    if not chapters.last_run(chapter):
        pytest.skip("this chapter was not run as it is now: make test")
    assert list(map(str, fill_numbers.wrong(chapter))) == []


def notebook(*cells) -> dict:
    blank = {"execution_count": None, "metadata": {}, "outputs": []}
    parts = {"markdown": {"metadata": {}}, "code": blank}
    return {
        "cells": [
            {"cell_type": kind, "id": str(i), "source": [text], **parts[kind]}
            for i, (kind, text) in enumerate(cells)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A chapter whose text says 97.4%, with a run that gave 97.5%."""
    monkeypatch.setattr(chapters, "SOURCE", tmp_path / "book")
    monkeypatch.setattr(chapters, "EXECUTED", tmp_path / "executed")
    text = 'Of <span data-n="n">6</span>, <span data-n="exact">97.4%</span>.\n'
    source = notebook(("markdown", text), ("code", "numbers.check()"))
    executed = json.loads(json.dumps(source))
    data = {"text/plain": ["-"], FORMAT: {"exact": ["97.5%"], "n": ["6"]}}
    result = {"output_type": "execute_result", "data": data, "metadata": {}}
    executed["cells"][1]["outputs"] = [{**result, "execution_count": 1}]
    for folder, made in (("book", source), ("executed", executed)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "01_one.ipynb").write_text(json.dumps(made))
    (tmp_path / "book/_toc.yml").write_text("chapters:\n- file: 01_one\n")
    monkeypatch.setattr(chapters, "run", lambda asked: None)
    return tmp_path


def call(monkeypatch, *words):
    monkeypatch.setattr("sys.argv", ["fill_numbers", *words])
    fill_numbers.main()


def test_a_wrong_digit_is_named_and_written_right(project, monkeypatch, capsys):
    assert [str(found) for found in fill_numbers.wrong("01_one")] == [
        "01_one: 'exact' is written '97.4%'; the run: '97.5%'"
    ]
    call(monkeypatch)
    assert "'exact' is written '97.4%'" in capsys.readouterr().out
    assert written(project / "book/01_one.ipynb") == {"n": ["6"], "exact": ["97.5%"]}
    assert fill_numbers.wrong("01_one") == []
    before = (project / "book/01_one.ipynb").read_bytes()
    call(monkeypatch, "01_one")
    assert (project / "book/01_one.ipynb").read_bytes() == before


def test_an_anchor_that_no_cell_states_is_left_to_its_author(project, monkeypatch):
    path = project / "book/01_one.ipynb"
    path.write_text(path.read_text().replace('\\"n\\"', '\\"m\\"'))
    with pytest.raises(SystemExit, match="2 of them are for you to put right"):
        call(monkeypatch)
    assert written(path) == {"m": ["6"], "exact": ["97.5%"]}


def test_a_chapter_without_a_check_is_told(project):
    (project / "executed/01_one.ipynb").write_text(json.dumps(notebook(("code", "1"))))
    with pytest.raises(MazelibError, match=r"01_one has no numbers\.check\(\)"):
        fill_numbers.stated("01_one")


def test_the_text_may_change_without_a_new_run(project, monkeypatch):
    """The book shows the outputs of the last run in the text as it is now."""
    path = project / "book/01_one.ipynb"
    path.write_text(path.read_text().replace("Of ", "Out of "))
    monkeypatch.setattr(chapters, "last_run", lambda name: {"key": name})
    monkeypatch.setattr(book, "SOURCE", project / "book")
    monkeypatch.setattr(book, "PAGES", project / "pages")
    assert book.gather() == []
    made = json.loads((project / "pages/01_one.ipynb").read_text())
    assert made["cells"][0]["source"][0].startswith("Out of ")
    assert made["cells"][1]["execution_count"] == 1
    assert FORMAT in made["cells"][1]["outputs"][0]["data"]
