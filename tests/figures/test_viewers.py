"""A viewer holds its pattern and asks the network for nothing."""

import base64
import re

import numpy as np
import pytest

from mazelib.errors import MazelibError
from mazelib.figures.viewers import BOOK, AttentionViewer, script_file

TOKENS = ["<PATH_START>", "(0,1)", "(0,2)"]


@pytest.fixture
def pattern(rng):
    some = np.tril(rng.random((2, 3, 3)))
    return some / some.sum(-1, keepdims=True)


def test_the_books_viewer_holds_the_pattern_and_not_the_script(pattern, monkeypatch):
    monkeypatch.setenv(BOOK, "1")
    text = AttentionViewer(TOKENS, pattern, ["L0H1", "L3H2"])._repr_html_()
    assert len(text) < 3000
    shades = base64.b64decode(re.search(r'atob\("([^"]*)"', text)[1])
    shown = np.frombuffer(shades, np.uint8).reshape(pattern.shape) / 255
    assert np.abs(shown - pattern).max() <= 0.5 / 255
    assert "<PATH_START>" not in text.replace("\\u003c", "")
    assert "L3H2" in text
    assert not re.search(r"https?://", text)


def test_a_notebooks_viewer_brings_the_script(pattern, monkeypatch):
    monkeypatch.delenv(BOOK, raising=False)
    text = AttentionViewer(TOKENS, pattern)._repr_html_()
    source = script_file().read_text(encoding="utf-8")
    assert len(text) > len(source)
    assert "AttentionHeads" in text
    assert "</script" in source  # in a string, where it would end the script
    assert text.count("</script") == 1


def test_two_viewers_have_names_of_their_own(pattern, monkeypatch):
    monkeypatch.setenv(BOOK, "1")
    texts = [AttentionViewer(TOKENS, p)._repr_html_() for p in (pattern, 1 - pattern)]
    ids = [re.search(r'id="(cv-\w+)"', text)[1] for text in texts]
    assert ids[0] != ids[1]


def test_a_pattern_that_does_not_fit_is_an_error(pattern):
    with pytest.raises(MazelibError, match="3 by 3, but there are 2 tokens"):
        AttentionViewer(TOKENS[:2], pattern)
    with pytest.raises(MazelibError, match="1 names for 2 heads"):
        AttentionViewer(TOKENS, pattern, ["L0H0"])
