"""A shift changes what its name says, and nothing else."""

from itertools import pairwise

import numpy as np
import pytest
from samples import large, one_question

from mazelib.behaviour.evaluation import evaluate, predicted_paths, prompts
from mazelib.behaviour.shifts import (
    ORDERS,
    SEED,
    cut_off,
    distract,
    lengths,
    listed,
    padded,
    same_ends,
    shifts,
    without_step,
)
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.errors import MazelibError
from mazelib.mazes.generators import MazeConfig
from mazelib.mazes.maze import Maze
from mazelib.mazes.questions import splits_of
from mazelib.models.model import MazeModelConfig
from mazelib.tokens.tokenizer import Tokenizer
from mazelib.training.validation import encode

SHIFTS = {**shifts(grid=5, side=7), **lengths(grid=5, side=7)}


def pairs(edges) -> list[tuple[int, int]]:
    return sorted(tuple(sorted(pair)) for pair in np.asarray(edges).tolist())


@pytest.mark.parametrize("name", SHIFTS)
def test_a_shift_draws_mazes_of_the_test_split_and_lists_of_their_edges(name):
    mazes, edges = SHIFTS[name].draw(12)
    assert len(mazes) == 12
    assert SHIFTS[name].stream.seed == SEED
    if not SHIFTS[name].distracting:
        assert (splits_of(mazes.right, mazes.down) == 2).all()
    tokenizer = Tokenizer("ut", 7)
    batch = encode(mazes, tokenizer, edges)
    for i, sample in enumerate(mazes):
        ids = batch.ids[i][batch.segment[i] >= 0]
        read, written = tokenizer.read(ids, mazes.n, tuple(mazes.offset[i].tolist()))
        assert read.maze == sample.maze
        assert (read.origin, read.target) == (sample.origin, sample.target)
        assert read.path.tolist() == sample.path.tolist()
        if edges is not None:
            assert written.tolist() == edges[i].tolist()
    again, lists = SHIFTS[name].draw(12)
    assert np.array_equal(mazes.right, again.right)
    if edges is not None:
        assert all(np.array_equal(*two) for two in zip(edges, lists, strict=True))


def test_every_order_lists_every_edge(few):
    one = one_question(few[:9])
    for name, order in ORDERS.items():
        for sample, edges in zip(one, listed(one, order), strict=True):
            wanted = pairs(sample.maze.edges())
            if name == "duplicated":
                assert len(edges) == len(wanted) + round(len(wanted) / 3)
            assert sorted(set(pairs(edges))) == wanted


def test_a_list_is_padded_evenly_to_the_length_asked_for(few):
    one = one_question(few[:5])
    for entries in (15, 20, 47):
        for sample, edges in zip(one, listed(one, padded(entries)), strict=True):
            assert len(edges) == entries
            times = np.unique(np.sort(edges), axis=0, return_counts=True)[1]
            assert len(times) == len(sample.maze.edges())
            assert np.ptp(times) <= 1


def test_lists_of_walls_are_put_in_order_too():
    tokenizer = Tokenizer("walls", 7)
    mazes, edges = SHIFTS["list from origin"].draw(5, walls=True)
    batch = encode(mazes, tokenizer, edges)
    for i, sample in enumerate(mazes):
        read = tokenizer.decode(batch.ids[i][batch.segment[i] >= 0], 5)
        assert read.maze == sample.maze


def test_orders_are_what_their_names_say(few):
    one = one_question(few[:9])
    lists = {name: listed(one, order) for name, order in ORDERS.items()}
    for i, sample in enumerate(one):
        by_name = lists["sorted"][i].tolist()
        assert by_name == sorted(sorted(pair) for pair in by_name)
        for name, cell in (("from origin", "origin"), ("from target", "target")):
            distance = sample.maze.distances(getattr(sample, cell))
            near, far = distance[lists[name][i]].T
            assert (near < far).all()
            assert (np.diff(near) >= 0).all()
        turned = lists["from target"][i][::-1, ::-1]
        assert np.array_equal(lists["to target"][i], turned)


def test_lists_in_the_order_of_the_key_are_encoded_as_ever(few):
    for scheme in ("ut", "ctt"):
        tokenizer, one = Tokenizer(scheme, 4), one_question(few[:7])
        edges = [tokenizer.read(ids)[1] for ids in prompts(one, tokenizer)]
        for got, want in zip(
            encode(one, tokenizer, edges), one.encode(tokenizer), strict=True
        ):
            assert got.dtype == want.dtype
            assert np.array_equal(got, want)


def test_evaluation_asks_with_the_lists_it_is_given():
    mazes, edges = SHIFTS["list sorted"].draw(20)
    config = MazeModelConfig(side=7, layers=1, width=16, heads=2)
    model = large(config, 3)
    table = evaluate(model, config.tokenizer, mazes, edges=edges)
    want = predicted_paths(model, config.tokenizer, mazes, edges=edges)
    assert table["predicted"].tolist() == want
    assert want != predicted_paths(model, config.tokenizer, mazes)


def test_distractors_are_out_of_reach():
    config = StreamConfig(MazeConfig("dfs", 5, accessible=0.6), split="test")
    mazes = MazeStream(config).take(0, 30)
    distracted = distract(mazes)
    more = 0
    for before, after in zip(mazes, distracted, strict=True):
        a, b = (s.maze.distances(s.origin) for s in (before, after))
        assert np.array_equal(a, b)
        more += len(after.maze.edges()) - len(before.maze.edges())
    assert more > 30


def test_a_target_that_is_cut_off_cannot_be_reached(few):
    one = one_question(few)
    for before, after in zip(one, cut_off(one), strict=True):
        assert after.maze.distances(after.origin)[after.target] == -1
        assert len(after.maze.edges()) == len(before.maze.edges()) - 1


def test_same_ends_ask_for_the_way_to_where_one_is(few):
    for before, after in zip(
        one_question(few), same_ends(one_question(few)), strict=True
    ):
        assert after.origin == after.target == before.origin
        assert after.path.tolist() == [after.origin]


def test_a_step_is_walled_up_in_both_directions():
    square = Maze(np.ones((2, 1), bool), np.ones((1, 2), bool))
    assert pairs(without_step(square, 3, 1).edges()) == [(0, 1), (0, 2), (2, 3)]
    assert without_step(square, 0, 3) == square


@pytest.mark.parametrize("entries", [20, 24, 30, 60])
def test_a_list_is_as_long_as_asked_and_keeps_the_path(entries):
    mazes = SHIFTS["none"].draw(60)[0]
    mazes = mazes[mazes.length[:, 0] - 1 <= 20]
    lists = listed(mazes, padded(entries))
    for sample, edges in zip(mazes, lists, strict=True):
        pairs = {frozenset(edge) for edge in edges.tolist()}
        true = {frozenset(edge) for edge in sample.maze.edges().tolist()}
        path = {frozenset(step) for step in pairwise(sample.path.tolist())}
        assert len(edges) == entries
        assert path <= pairs <= true
        assert len(pairs) == min(entries, len(true))


def test_a_list_cannot_be_shorter_than_the_path():
    mazes = SHIFTS["none"].draw(60)[0]
    long = mazes[mazes.length[:, 0] > 9]
    with pytest.raises(MazelibError, match="entries is 8, but the path has"):
        listed(long, padded(8))
