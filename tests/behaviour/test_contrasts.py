"""Contrast sets hold the questions they name, all of them, and no other."""

import numpy as np
from networkx import all_simple_paths
from samples import one_question

from mazelib.behaviour.baselines import fork_chances, greedy_step, sighted_step
from mazelib.behaviour.contrasts import (
    asked_again,
    blocked,
    every_question,
    far_forks,
    open_field,
    seen_last,
    two_ways,
    with_passage,
)
from mazelib.behaviour.evaluation import prompts
from mazelib.behaviour.forks import forks_of
from mazelib.behaviour.metrics import manhattan
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.mazes.questions import splits_of
from mazelib.models import zoo
from mazelib.tokens.tokenizer import Tokenizer


def test_two_ways_are_two_and_differ():
    mazes = two_ways(40, least=4)
    assert (splits_of(mazes.right, mazes.down) == 2).all()
    for sample in mazes:
        ways = all_simple_paths(sample.maze.to_networkx(), sample.origin, sample.target)
        shorter, longer = sorted(ways, key=len)
        assert shorter == sample.path.tolist()
        assert len(longer) >= len(shorter) + 4
    assert np.array_equal(mazes[:7].key, two_ways(7, least=4).key)


def test_every_question_is_asked_once(few):
    everything = every_question(one_question(few[:2]), least=3)
    asked = set()
    for sample in everything:
        want = sample.maze.distances(sample.target)[sample.origin]
        assert len(sample.path) - 1 == want >= 3
        assert (sample.path[0], sample.path[-1]) == sample[1:3]
        asked.add((sample.maze, *sample[1:3]))
    assert len(asked) == len(everything)
    far = [[(s.maze.distances(c) >= 3).sum() for c in range(16)] for s in few[:2]]
    assert len(everything) == np.sum(far)


def test_a_passage_is_added_anywhere_there_was_a_wall(few, rng):
    before = [np.repeat(part[:1], 400, 0) for part in (few.right, few.down)]
    after = with_passage(*before, rng)
    added = 0
    for old, new in zip(before, after, strict=True):
        assert (old <= new).all()
        assert np.array_equal((new & ~old).any(0), ~old[0])
        added += (new & ~old).sum((1, 2))
    assert added.tolist() == [1] * 400


def test_a_blocked_way_is_longer_than_the_manhattan_distance():
    mazes = blocked(orders=2)
    asked = [(s.maze, s.origin, s.target) for s in mazes]
    assert len(mazes) == 2 * len(set(asked)) == 2 * 1176
    assert len({maze for maze, _, _ in asked}) == 65
    for sample in mazes:
        assert len(sample.path) - 1 > manhattan(5, sample.origin, sample.target)


def test_the_open_field_is_asked_everything_in_orders_of_its_own():
    mazes = open_field(grid=3, orders=2)
    assert len(mazes) == 2 * (9 * 8 - 24)
    assert len(np.unique(mazes.key)) == len(mazes)
    once, again = mazes[: len(mazes) // 2], mazes[len(mazes) // 2 :]
    assert [tuple(s[1:3]) for s in once] == [tuple(s[1:3]) for s in again]
    lists = [prompts(part, Tokenizer("ut", 3))[0] for part in (once, again)]
    assert not np.array_equal(*lists)
    assert np.array_equal(*map(np.sort, lists))


def test_far_forks_are_where_short_sight_and_greed_fail():
    stream = StreamConfig(MazeConfig("dfs", 5), split="test")
    mazes, is_far = far_forks(stream, 2000, least=6)
    chances = {
        name: np.concatenate([fork_chances(sample, step) for sample in mazes])
        for name, step in {"greedy": greedy_step, "six": sighted_step(6)}.items()
    }
    assert 10 < is_far.sum() < is_far.size == len(chances["greedy"])
    assert (chances["greedy"][is_far] == 0).all()
    _, is_near = far_forks(stream, 2000, least=5)
    assert is_near.sum() > is_far.sum()
    # what takes six steps is seen with six, and not always with five
    assert (chances["six"][is_far & (lookaheads(mazes) == 6)] == 1).all()
    five = [fork_chances(sample, sighted_step(5)) for sample in mazes]
    assert np.concatenate(five)[is_far].mean() < 1


def lookaheads(mazes):
    """The steps to look ahead at each fork, through the mazes."""
    return np.array([fork["lookahead"] for s in mazes for fork in forks_of(s)])


def test_seen_mazes_are_those_of_the_stream_with_other_questions():
    stream = StreamConfig(MazeConfig("dfs", 5), questions=4, pool=20)
    drawn, again = MazeStream(stream).take(40, 60), asked_again(stream, 40, 60)
    assert np.array_equal(drawn.right, again.right)
    assert np.array_equal(drawn.down, again.down)
    assert again.origin.shape == (60, 1)
    assert not np.array_equal(drawn.key, again.key)
    assert (
        splits_of(again.right, again.down) == splits_of(drawn.right, drawn.down)
    ).all()
    ends = again.origin[:, 0] * 25 + again.target[:, 0]
    taken = drawn.origin[:, 0] * 25 + drawn.target[:, 0]
    assert (ends != taken).mean() > 0.9
    assert again[3].path[-1] == again.target[3, 0]


def test_mazes_seen_last_are_those_of_the_runs_last_steps():
    training = zoo.read_card("dfs5")["training"]
    end = training["steps"] * training["batch"]
    drawn = MazeStream(zoo.trained_on("dfs5")).take(end - 50, 50)
    seen = seen_last("dfs5", 50)
    assert np.array_equal(seen.right, drawn.right)
    assert np.array_equal(seen.down, drawn.down)
