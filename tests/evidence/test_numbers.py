"""What a chapter's text says is what its run gave, or it is told."""

import json
import os

import numpy as np
import pytest

from mazelib.errors import MazelibError
from mazelib.evidence import numbers as numbers_module
from mazelib.evidence.numbers import (
    FORMAT,
    Difference,
    Numbers,
    differences,
    expect,
    texts,
    written,
)
from mazelib.evidence.records import BOOK


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """A chapter whose text says two numbers, one of them twice."""
    text = ['It solves <span data-n="exact">97.5%</span> of them, that is\n', "many. "]
    more = '<span data-n="exact">97.5%</span>, <span data-n="n">6,000</span>'
    cells = [
        {"cell_type": "markdown", "source": text},
        {"cell_type": "code", "source": ['"<span data-n="no">1</span>"']},
        {"cell_type": "markdown", "source": [more]},
    ]
    (tmp_path / "04_some.ipynb").write_text(json.dumps({"cells": cells}))
    monkeypatch.setattr(numbers_module, "CHAPTERS", tmp_path)
    monkeypatch.delenv(BOOK, raising=False)
    return tmp_path / "04_some.ipynb"


def test_what_is_written_is_read_from_the_text_alone(chapter):
    assert written(chapter) == {"exact": ["97.5%", "97.5%"], "n": ["6,000"]}
    with pytest.raises(MazelibError, match=r"none\.ipynb cannot be read"):
        written(chapter.with_name("none.ipynb"))


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.9748, ".1%", "97.5%"),
        (np.float32(0.25), ".2f", "0.25"),
        (np.int64(6000), ",", "6,000"),
        (-0.174, ".2f", "−0.17"),
        ((0.971, 0.979), ".1%", "97.1% to 97.9%"),
        ([-1, 2], "d", "−1 to 2"),
        (np.array([0.1, 0.2]), ".1f", "0.1 to 0.2"),
        ("L2H0", "", "L2H0"),
    ],
)
def test_a_value_is_written_in_its_form(value, form, text):
    assert texts(value, form)[0] == text


@pytest.mark.parametrize("value", [None, True, (1, 2, 3), {"a": 1, "b": 2}])
def test_what_is_no_number_is_told(value):
    with pytest.raises(MazelibError, match="no number, no text and no pair"):
        texts(value)


def test_both_digits_count_where_a_value_lies_between_them():
    assert set(texts(0.345000001, ".2f")) == {"0.34", "0.35"}
    assert texts(0.3471, ".2f") == ["0.35"]


def test_the_wrong_digit_is_named_with_its_chapter_and_anchor():
    stated = {"exact": ["97.5%"], "unused": ["3"]}
    said = {"exact": ["97.4%", "97.5%"], "lost": ["1"]}
    found = list(differences("04_some", said, stated))
    assert found == [
        Difference("04_some", "exact", "97.4%", "97.5%"),
        Difference("04_some", "lost", "1", None),
        Difference("04_some", "unused", None, "3"),
    ]
    told = [str(difference) for difference in found]
    assert told[0] == "04_some: 'exact' is written '97.4%'; the run: '97.5%'"
    assert told[1] == "04_some: 'lost' is written '1'; the run: no cell states it"
    assert told[2] == "04_some: 'unused' stands nowhere in the text; the run: '3'"


def test_a_readers_run_lists_what_is_not_as_in_the_text(chapter):
    numbers = Numbers("04_some")
    numbers.state("exact", 0.9748, ".1%")
    numbers.state("n", 6000, ",")
    assert repr(numbers.check()) == "all 2 numbers are as in the text"
    numbers.state("n", 500, ",")
    numbers.state("exact", 0.5, ".1%")
    assert repr(numbers.check()).splitlines() == [
        "2 of 2 numbers are not as in the text:",
        "  exact: 97.5% there, 50.0% here",
        "  n: 6,000 there, 500 here",
    ]


def test_the_build_keeps_the_numbers_and_compares_nothing(chapter, monkeypatch):
    monkeypatch.setenv(BOOK, "1")
    numbers = Numbers("04_some")
    numbers.state("exact", 0.5, ".1%", (0.4, 0.6))
    bundle = numbers.check()._repr_mimebundle_()
    assert bundle["text/plain"] == "the text's 2 numbers are kept with this run"
    assert bundle[FORMAT]["exact-ci"][0] == "40.0% to 60.0%"
    json.dumps(bundle)


def test_a_text_that_is_not_so_stops_the_build_and_tells_a_reader(monkeypatch, capsys):
    monkeypatch.setenv(BOOK, "1")
    expect(2 > 1)
    with pytest.raises(AssertionError, match=r"otherwise: expect\(1 > 2\)"):
        expect(1 > 2)
    monkeypatch.delenv(BOOK)
    expect(1 > 2)
    expect(2 > 1)
    said = "not in this run, as the text says: expect(1 > 2)\n"
    assert capsys.readouterr().out == said
    assert BOOK not in os.environ
