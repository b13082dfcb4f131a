"""A passage is added that only shortens, or removed with nothing in its stead."""

import numpy as np
import pytest
from samples import held_back

from mazelib.behaviour.forks import ways_on
from mazelib.errors import MazelibError
from mazelib.interventions.passages import passages_added, passages_removed
from mazelib.tokens.tokenizer import Tokenizer

TOKENIZER = Tokenizer("ut", 5)


@pytest.fixture(scope="module")
def mazes():
    return held_back(5, 100)


def corrupted(pairs, row):
    """The cells of the corrupted prompt's passages."""
    ids = pairs.corrupted.ids[row, : pairs.corrupted.end[row] + 1]
    text = TOKENIZER.to_text(ids).split("<PATH_START>")[0] + "<PATH_START>"
    return TOKENIZER.parse(text).maze


def test_an_added_passage_is_a_shortcut_and_the_one_it_replaces_is_off_the_path(
    mazes, rng
):
    pairs = passages_added(mazes, TOKENIZER, rng)
    assert len(pairs) > 20
    for row, at in enumerate(pairs.maze):
        sample, other = mazes[int(at)], corrupted(pairs, row)
        path, here = sample.path.tolist(), int(pairs.step[row])
        [gone] = {*map(tuple, sample.maze.edges().tolist())} - {
            *map(tuple, other.edges().tolist())
        }
        [new] = {*map(tuple, other.edges().tolist())} - {
            *map(tuple, sample.maze.edges().tolist())
        }
        assert not {*gone} & {*path}
        assert path[here] in new
        [end] = {*new} - {path[here]}
        assert pairs.wrong[row] == TOKENIZER.cell_ids[end, 0]
        assert path.index(end) >= here + 3
        assert pairs.right[row] == TOKENIZER.cell_ids[path[here + 1], 0]


def test_a_removed_passage_leaves_no_way_to_the_target(mazes, rng):
    pairs = passages_removed(mazes, TOKENIZER, rng)
    assert len(pairs) > 20
    for row, at in enumerate(pairs.maze):
        sample, other = mazes[int(at)], corrupted(pairs, row)
        path, here = sample.path.tolist(), int(pairs.step[row])
        assert other.distances(path[here])[sample.target] == -1
        gone = {*map(tuple, sample.maze.edges().tolist())} - {
            *map(tuple, other.edges().tolist())
        }
        assert gone == {tuple(sorted((path[here], path[here + 1])))}
        ways = ways_on(sample.maze, path, here)
        tokens = [TOKENIZER.cell_ids[way, 0] for way in ways]
        assert {pairs.right[row], pairs.wrong[row]} <= {*tokens}
        assert pairs.right[row] != pairs.wrong[row]
        assert np.count_nonzero(pairs.differs[row]) in (1, 2)


@pytest.mark.parametrize("make", [passages_added, passages_removed])
def test_mazes_in_which_there_is_none_are_refused(make, rng):
    some = held_back(5, 60)
    left = np.setdiff1d(np.arange(60), make(some, TOKENIZER, rng).maze)
    assert len(left)
    with pytest.raises(MazelibError, match="no maze has a"):
        make(some[left], TOKENIZER, rng)
