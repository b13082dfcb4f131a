"""Pairs differ in what they say they do, and each is answered as its maze asks."""

import numpy as np
import pytest
from samples import held_back

from mazelib.behaviour.forks import ways_on
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.internals.roles import KINDS
from mazelib.interventions.pairs import (
    lists_reordered,
    origins_swapped,
    targets_moved,
)
from mazelib.interventions.passages import edges_swapped, passages_added
from mazelib.mazes.generators import MazeConfig
from mazelib.tokens.tokenizer import Tokenizer

MAKERS = (
    *(edges_swapped, passages_added, lists_reordered, origins_swapped),
    targets_moved,
)


@pytest.fixture(params=[4, 5])
def mazes(request):
    return held_back(request.param, 60)


@pytest.fixture
def tokenizer(mazes):
    return Tokenizer("ut", mazes.n)


def prompt(prompts, row: int):
    return prompts.ids[row, : prompts.end[row] + 1]


def solved(ids, tokenizer):
    """What a prompt asks, with the shortest path from its origin."""
    text = tokenizer.to_text(ids).split("<PATH_START>")[0] + "<PATH_START>"
    sample = tokenizer.parse(text)
    return sample, sample.maze.shortest_path(sample.origin, sample.target)


@pytest.mark.parametrize("make", MAKERS)
def test_both_prompts_are_followed_by_their_own_answer(make, mazes, tokenizer, rng):
    pairs = make(mazes, tokenizer, rng)
    assert len(pairs) > 20
    for row in range(len(pairs)):
        for prompts, answer in (
            (pairs.clean, pairs.right),
            (pairs.corrupted, pairs.wrong),
        ):
            ids = prompt(prompts, row)
            sample, path = solved(ids, tokenizer)
            told = tokenizer.leading_cells(ids[pairs.roles.path_start[row] + 1 :])
            step = pairs.step[row] + 1
            assert told == path[:step].tolist()
            if make is not lists_reordered or prompts is pairs.clean:
                assert answer[row] == tokenizer.cell_ids[path[step], 0]
            assert len(path) > step
            has_cycle = make is passages_added and prompts is pairs.corrupted
            assert sample.maze.is_tree != has_cycle


@pytest.mark.parametrize("make", MAKERS)
def test_the_answers_differ_and_are_legal(make, mazes, tokenizer, rng):
    pairs = make(mazes, tokenizer, rng)
    assert (pairs.right != pairs.wrong).all()
    if make in (origins_swapped, passages_added):
        return  # <PATH_START> is no cell, and a wall is no way
    for row, at in enumerate(pairs.maze):
        sample = mazes[int(at)]
        ways = ways_on(sample.maze, sample.path.tolist(), int(pairs.step[row]))
        tokens = tokenizer.cell_ids[ways, 0]
        assert {pairs.right[row], pairs.wrong[row]} <= set(tokens)


def test_only_what_is_said_differs(mazes, tokenizer, rng):
    for make, kinds in (
        (targets_moved, {"target"}),
        (origins_swapped, {"origin"}),
        (edges_swapped, {"first", "second"}),
        (passages_added, {"first", "second"}),
    ):
        pairs = make(mazes, tokenizer, rng)
        row, column = np.nonzero(pairs.differs)
        assert {KINDS[kind] for kind in pairs.roles.kind[row, column]} == kinds
        assert (pairs.differs.sum(1) <= len(kinds)).all()
    pairs = lists_reordered(mazes, tokenizer, rng)
    row, column = np.nonzero(pairs.differs)
    assert {KINDS[kind] for kind in pairs.roles.kind[row, column]} == {
        "first",
        "second",
    }
    for ids, other in zip(pairs.clean.ids, pairs.corrupted.ids, strict=True):
        assert sorted(ids) == sorted(other)


def test_the_places_are_each_token_once(mazes, tokenizer, rng):
    pairs = targets_moved(mazes, tokenizer, rng)
    places = pairs.places()
    total = sum(mask.astype(int) for mask in places.values())
    assert (total == pairs.inside).all()
    assert (places["asked"].sum(1) == 1).all()
    assert (places["target"] == pairs.differs).all()


def test_some_of_the_pairs_are_those_of_their_mazes(mazes, tokenizer, rng):
    pairs = targets_moved(mazes, tokenizer, rng)
    some = pairs.those(np.array([5, 2]))
    for row, other in enumerate((5, 2)):
        assert some.maze[row] == pairs.maze[other]
        assert (prompt(some.clean, row) == prompt(pairs.clean, other)).all()
        assert (prompt(some.corrupted, row) == prompt(pairs.corrupted, other)).all()
    assert some.inside.shape == some.clean.ids.shape == some.places()["asked"].shape
    assert (some.turned.right == pairs.wrong[[5, 2]]).all()
    assert some.turned.clean is some.corrupted


def test_mazes_without_what_is_asked_for_are_refused(mazes, tokenizer, rng):
    no_fork = mazes[[at for at, s in enumerate(mazes) if not len(s.maze.forks(s.path))]]
    for make in (targets_moved, lists_reordered, edges_swapped):
        with pytest.raises(MazelibError, match="give more mazes"):
            make(no_fork[:0], tokenizer, rng)
    with pytest.raises(MazelibError, match="give more mazes"):
        targets_moved(no_fork, tokenizer, rng)


def test_mazes_with_cycles_are_refused(rng):
    stream = StreamConfig(MazeConfig("dfs_percolation", 4, p=0.5), split="any")
    with pytest.raises(MazelibError, match="cycles"):
        targets_moved(MazeStream(stream).take(0, 20), Tokenizer("ut", 4), rng)


def test_pairs_are_the_same_from_the_same_seed(mazes, tokenizer):
    for make in MAKERS:
        one, two = (make(mazes, tokenizer, np.random.default_rng(3)) for _ in range(2))
        assert (one.corrupted.ids == two.corrupted.ids).all()
        other = make(mazes, tokenizer, np.random.default_rng(4))
        assert one.corrupted.ids.tolist() != other.corrupted.ids.tolist()
