"""What is shown holds all that it needs, and asks the network for nothing."""

import base64
import re

import numpy as np
import pytest

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.figures.viewers import BOOK, AttentionViewer, LiveMaze, script_file
from mazelib.mazes import MazeConfig

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


def test_a_live_maze_is_told_whole_and_drawn_without_scripts():
    maze = MazeStream(StreamConfig(MazeConfig("dfs", 4), split="any")).take(3, 1)
    sample = maze[0]
    live = LiveMaze(maze, "dfs5", sample.path, show="head", layer=5)
    state = dict(zip(*[iter(live.state.split("_"))] * 2, strict=True))
    bits = f"{int(state['m'], 16):0{4 * len(state['m'])}b}"
    passages = np.concatenate([sample.maze.right.ravel(), sample.maze.down.ravel()])
    assert [bit == "1" for bit in bits] == passages.tolist()
    assert state | {"m": ""} == {
        "model": "dfs5",
        "n": "4",
        "m": "",
        "o": str(sample.origin),
        "t": str(sample.target),
        "key": str(maze.key[0]),
        "show": "head",
        "layer": "5",
    }
    text = live._repr_html_()
    assert "<svg" in text
    assert "<script" not in text
    assert repr(live) == str(sample.draw(sample.path))


def test_a_live_maze_is_one_maze_in_its_corner():
    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 4), split="any")).take(0, 2)
    with pytest.raises(MazelibError, match="2 mazes"):
        LiveMaze(mazes, "dfs5")
