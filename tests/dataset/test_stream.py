from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from samples import maze_sets

from mazelib.dataset.stream import (
    CHUNK,
    ENDPOINTS,
    MazeSet,
    MazeStream,
    StreamConfig,
)
from mazelib.errors import MazelibError
from mazelib.mazes.generators import GENERATORS, MazeConfig
from mazelib.mazes.maze import Maze
from mazelib.mazes.questions import splits_of
from mazelib.tokens.tokenizer import Tokenizer


def stream(generator: str = "dfs", grid: int = 4, **options) -> MazeStream:
    return MazeStream(StreamConfig(MazeConfig(generator, grid), **options))


def equal(a: MazeSet, b: MazeSet) -> bool:
    names = [f.name for f in fields(MazeSet)]
    return all(np.array_equal(getattr(a, n), getattr(b, n)) for n in names)


@given(maze_sets(questions=2))
def test_paths_are_shortest_paths_between_their_ends(mazes):
    for i in range(len(mazes)):
        for question in range(2):
            maze, origin, target, path = mazes.sample(i, question)
            assert origin != target
            assert (path[0], path[-1]) == (origin, target)
            assert len(path) - 1 == maze.distances(origin)[target]
            assert all(b in maze.neighbours(a) for a, b in pairwise(path.tolist()))
            assert (mazes.path[i, question, len(path) :] == -1).all()


def test_a_sample_depends_on_its_number_alone():
    whole = stream().take(0, 3 * CHUNK)
    assert equal(stream().take(CHUNK - 7, 20), whole[CHUNK - 7 : CHUNK + 13])
    assert equal(stream().take(5, 1), whole[5:6])
    ids = whole.encode(Tokenizer("ut", 4)).ids
    for size in (1, 10, CHUNK + 1):
        for workers in (0, 3):
            batches = stream().batches(size, Tokenizer("ut", 4), workers=workers)
            for i, batch in zip(range(2), batches, strict=False):
                want = ids[i * size : (i + 1) * size, : batch.ids.shape[1]]
                assert np.array_equal(batch.ids, want)


def test_batches_can_begin_anywhere():
    tokenizer = Tokenizer("ut", 4)
    first = stream().batches(30, tokenizer)
    skipped = [next(first) for _ in range(12)][-1]
    assert np.array_equal(
        next(stream().batches(30, tokenizer, start=11)).ids, skipped.ids
    )


def test_ranks_share_each_batch_without_overlap():
    tokenizer = Tokenizer("ut", 4)
    whole = next(stream().batches(12, tokenizer, start=2)).ids
    parts = [
        next(stream().batches(12, tokenizer, start=2, rank=r, ranks=3)).ids
        for r in range(3)
    ]
    rows = [row[row > 0].tolist() for part in parts for row in part]
    assert rows == [row[row > 0].tolist() for row in whole]


def test_a_pool_comes_again_with_other_questions_and_lists():
    mazes = stream(grid=4, questions=2, pool=100).take(0, 300)
    first, second = mazes[:100], mazes[100:200]
    fresh = stream(grid=4, questions=2).take(0, 100)
    for again in (first, second, mazes[200:]):
        assert np.array_equal(again.right, fresh.right)
        assert np.array_equal(again.down, fresh.down)
    assert (first.origin != second.origin).any(1).mean() > 0.8
    assert (first.key != second.key).all()
    later = stream(grid=4, questions=2, pool=100).take(250, 30)
    assert np.array_equal(later.path, mazes[250:280].path)


def test_what_is_held_back_from_a_pool_is_drawn_afresh():
    config = stream(grid=4, questions=2, pool=3).config.held_back("test")
    mazes = MazeStream(config).take(0, 50)
    assert len(set(mazes.canonical_hashes.tolist())) > 10
    assert mazes.origin.shape == (50, 1)
    with pytest.raises(MazelibError, match="pool is 0"):
        stream(pool=0)


def test_seeds_and_splits_give_other_mazes():
    sets = [
        stream(seed=s, split=p).take(0, 50)
        for s in (0, 1)
        for p in ("train", "validation", "test", "any")
    ]
    assert len({s.right.tobytes() for s in sets}) == len(sets)


@pytest.mark.parametrize("generator", ["dfs", "wilson", "dfs_percolation", "forkless"])
@pytest.mark.parametrize("grid", [3, 5])
def test_splits_share_no_maze_nor_its_images(generator, grid):
    found = {}
    for split in ("train", "validation", "test"):
        mazes = stream(generator, grid, split=split).take(0, 400)
        found[split] = set(mazes.canonical_hashes.tolist())
    assert not found["train"] & found["test"]
    assert not found["train"] & found["validation"]
    assert not found["validation"] & found["test"]


def test_split_shares_are_6_1_and_1_of_8():
    mazes = stream("wilson", 6, split="any").take(0, 16000)
    shares = np.bincount(splits_of(mazes.right, mazes.down)) / 2000
    assert np.abs(shares - [6, 1, 1]).max() < 0.1


@pytest.mark.parametrize("grid", [3, 4, 6])
@pytest.mark.parametrize("generator", ["open_field", "open_field_obstacle"])
def test_open_fields_are_for_testing_alone(generator, grid):
    mazes = stream(generator, grid, split="any").take(0, 100)
    assert (splits_of(mazes.right, mazes.down) == 2).all()
    with pytest.raises(MazelibError, match=f"{generator} mazes.*split 'train'"):
        stream(generator, grid, split="train").take(0, 1)


def test_trees_are_split_by_hash_even_when_tiny():
    mazes = stream("wilson", 3, split="any").take(0, 2000)
    assert np.bincount(splits_of(mazes.right, mazes.down))[0] > 1000


@pytest.mark.parametrize("generator", GENERATORS)
def test_every_generator_has_a_test_set(generator):
    mazes = stream(generator, 6, split="test").take(0, 20)
    assert (mazes.length >= 2).all()


def test_origins_and_targets_are_uniform_over_the_cells():
    mazes = stream(grid=4, questions=4).take(0, 4000)
    for ends in (mazes.origin, mazes.target):
        counts = np.bincount(ends.ravel(), minlength=16)
        assert np.abs(counts / 1000 - 1).max() < 5 / 1000**0.5


def test_endpoint_rules():
    for sample in stream(grid=5, endpoints="dead_ends").take(0, 100):
        assert sample.maze.degree[[sample.origin, sample.target]].tolist() == [1, 1]
    for sample in stream(grid=5, endpoints="corners").take(0, 100):
        assert {sample.origin, sample.target} <= {0, 4, 20, 24}
    assert (stream(grid=5, min_steps=9).take(0, 100).length >= 10).all()


def test_offsets_are_uniform_and_within_the_larger_grid():
    mazes = stream(grid=3, spread=5).take(0, 900)
    places = np.bincount(mazes.offset @ [3, 1], minlength=9)
    assert len(places) == 9
    assert places.min() > 60
    ids = mazes[:20].encode(Tokenizer("ut", 5)).ids
    for sample, offset, row in zip(mazes, mazes.offset.tolist(), ids, strict=False):
        assert Tokenizer("ut", 5).decode(row, 3, tuple(offset)).maze == sample.maze


def test_packed_questions_each_follow_from_the_list(few):
    tokenizer = Tokenizer("ut", 4)
    batch = few.encode(tokenizer)
    for i in range(5):
        for question in range(3):
            part = np.isin(batch.segment[i], [0, question + 1])
            want = tokenizer.encode(*few.sample(i, question), key=int(few.key[i]))
            assert batch.ids[i, part].tolist() == want.tolist()
            assert batch.position[i, part].tolist() == list(range(len(want)))
            answer = batch.ids[i, part & batch.answer[i]]
            cells = len(few.sample(i, question).path)
            assert tokenizer.leading_cells(answer) == want_path(few, i, question)
            assert len(answer) == cells + 1


def want_path(mazes: MazeSet, i: int, question: int) -> list[int]:
    return mazes.sample(i, question).path.tolist()


def test_sets_can_be_sliced_and_joined(few):
    assert equal(MazeSet.concatenate([few[:7], few[7:]]), few)
    assert len(few[np.array([3, 1])]) == 2
    assert isinstance(few[3].maze, Maze)
    assert [s.origin for s in few] == few.origin[:, 0].tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"split": "dev"}, "split is 'dev', but must be one of train"),
        ({"endpoints": "far"}, f"must be one of {', '.join(ENDPOINTS)}"),
        ({"min_steps": 0}, "min_steps is 0"),
        ({"questions": 0}, "questions is 0"),
        ({"spread": 3}, "spread is 3"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(MazelibError, match=message):
        stream(**options)


@pytest.mark.parametrize(
    ("mazes", "rules", "message"),
    [
        (("percolation", 4, 0.0), {}, r"p 0, next to none has a passage.*: raise p"),
        (("open_field", 4), {"endpoints": "dead_ends"}, "two dead ends .* uniform"),
        (("dfs", 8, None, None, 1), {"endpoints": "corners"}, "depth 1, .* corners"),
        (("open_field", 4), {"min_steps": 10}, "10 steps apart: lower min_steps"),
        (("open_field", 4), {"split": "train"}, "split 'train': take another split"),
    ],
)
def test_impossible_questions_are_an_error_that_names_the_cause(mazes, rules, message):
    config = StreamConfig(MazeConfig(*mazes), **{"split": "any", **rules})
    with pytest.raises(MazelibError, match=message):
        MazeStream(config).take(0, 1)


def test_batches_that_ranks_cannot_share_are_an_error():
    with pytest.raises(MazelibError, match="multiple of the ranks"):
        next(stream().batches(10, Tokenizer("ut", 4), rank=0, ranks=3))
