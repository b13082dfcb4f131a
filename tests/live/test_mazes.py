"""Mazes, tokens and solvers in the page are those of mazelib."""

import numpy as np
import pytest
from engines import LIVE, engine

from mazelib.behaviour.baselines import greedy_step, sighted_step
from mazelib.behaviour.metrics import departure
from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.figures.viewers import passage_bits
from mazelib.mazes import GENERATORS, MazeConfig
from mazelib.tokens import SCHEMES, Tokenizer
from tools import live

SCRIPTS = [LIVE / "maze.js"]


@pytest.fixture(scope="module")
def call():
    with engine() as found:
        yield found


@pytest.fixture(scope="module")
def mazes():
    """Samples of mazes with and without cycles, and their passages as text."""
    found = []
    for generator, side in (("dfs", 5), ("prim", 7), ("percolation", 6)):
        config = StreamConfig(MazeConfig(generator, side), split="any", min_steps=2)
        some = MazeStream(config).take(0, 20)
        found += zip(some, passage_bits(some), strict=True)
    return found


def test_passages_survive_being_text(call, mazes):
    argument = [[sample.maze.n, bits] for sample, bits in mazes]
    again = """mazes => mazes.map(([n, bits]) => {
      const maze = Maze.parse(n, bits);
      return [String(maze), maze.pairs().filter(pair => maze.isOpen(...pair)).length];
    })"""
    found = call(SCRIPTS, again, argument)
    assert found == [[bits, len(sample.maze.edges())] for sample, bits in mazes]


HOSTILE = [
    [5, "<img src=x onerror=alert(1)>"],
    [5, "f" * 9],
    [5, "F" * 10],
    [5, "f" * 400],
    [3, "ffg"],
    [4, "fffff" + "f" * 1000],
    [0, ""],
    [1, ""],
    [1e9, "f"],
    [-5, "f" * 10],
    [2.5, "f"],
    ["5", "f" * 10],
    [7, "f" * 21 + "\n"],
]


def test_what_is_no_maze_is_refused(call):
    tried = (
        "all => all.map(([n, bits]) => { try { Maze.parse(n, bits); return 'taken'; }"
    )
    tried += " catch (error) { return error.message; } })"
    for (n, bits), said in zip(HOSTILE, call(SCRIPTS, tried, HOSTILE), strict=True):
        assert "a maze" in said, (n, bits, said)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_prompts_and_reading_are_those_of_the_tokenizer(call, mazes, scheme):
    tokenizer = Tokenizer(scheme, 7)
    argument = {
        "scheme": scheme,
        "asked": [
            [s.maze.n, bits, s.origin, s.target, str(key)]
            for key, (s, bits) in enumerate(mazes, start=2**63)
        ],
    }
    write = """({scheme, asked}) => { const vocabulary = new Vocabulary(scheme, 7);
      return asked.map(([n, bits, origin, target, key]) => {
        const ids = vocabulary.prompt(Maze.parse(n, bits), origin, target, BigInt(key));
        const path = Maze.parse(n, bits).shortestPath(origin, target);
        return {ids, words: ids.map(id => vocabulary.words[id]), path,
          read: vocabulary.cells([...path.flatMap(c => vocabulary.cell(n, c)), 8], n)};
      }); }"""
    found = call(SCRIPTS, write, argument)
    for key, ((sample, _), own) in enumerate(
        zip(mazes, found, strict=True), start=2**63
    ):
        ids = tokenizer.encode(sample.maze, sample.origin, sample.target, key=key)
        assert own["ids"] == ids.tolist()
        assert own["words"] == tokenizer.to_tokens(ids)
        path = sample.maze.shortest_path(sample.origin, sample.target).tolist()
        assert own["path"] == own["read"] == path


def test_solvers_choose_as_the_baselines_do(call, mazes):
    asked = []
    for sample, bits in mazes:
        path = sample.maze.shortest_path(sample.origin, sample.target).tolist()
        asked += [
            (sample, bits, path[: step + 1], steps)
            for step in range(len(path) - 1)
            for steps in (0, 1, 2, 5, 12)
        ]
    choose = """asked => asked.map(([n, bits, path, target, steps]) => {
      const maze = Maze.parse(n, bits);
      if (!steps) return greedy(maze, path, target);
      return sighted(maze, path, target, steps); })"""
    argument = [[s.maze.n, b, p, s.target, k] for s, b, p, k in asked]
    found = call(SCRIPTS, choose, argument)
    for (sample, _, path, steps), own in zip(asked, found, strict=True):
        options = [c for c in sample.maze.neighbours(path[-1]) if c not in path]
        step = sighted_step(steps) if steps else greedy_step
        assert own == step(sample.maze, path[-2:], options, sample.target)


def test_answers_leave_the_way_as_mazelib_says(call, mazes, rng):
    asked = []
    for sample, bits in mazes:
        n, path = sample.maze.n, sample.maze.shortest_path(sample.origin, sample.target)
        for _ in range(12):
            cut = int(rng.integers(0, len(path) + 1))
            walk = [*path[:cut].tolist(), *rng.integers(-1, n * n, rng.integers(0, 3))]
            if len(walk) > 1 and walk[-2] >= 0 and rng.random() < 0.5:
                beside = [*sample.maze.neighbours(int(walk[-2])), walk[-1]]
                walk[-1] = rng.choice(beside)
            asked.append(
                (sample, bits, [int(c) for c in walk], bool(rng.random() < 0.8))
            )
    asked = [row for row in asked if row[2]]
    leave = """asked => asked.map(([n, bits, origin, target, cells, isEnded]) =>
      departure(Maze.parse(n, bits), origin, target, cells, isEnded).kind)"""
    argument = [[s.maze.n, b, s.origin, s.target, c, e] for s, b, c, e in asked]
    wanted = [departure(s, c if e else [*c, -2]) for s, _, c, e in asked]
    assert call(SCRIPTS, leave, argument) == wanted
    assert len(set(wanted)) >= 7


def test_there_are_mazes_of_every_generator_that_no_model_was_trained_on(call):
    sets = {}
    for line in live.maze_script().splitlines():
        sets |= call([], f"() => {{ {line} return globalThis.mazeSets; }}", None)
    assert list(sets) == list(GENERATORS)
    for generator, by_side in sets.items():
        for side, rows in by_side.items():
            assert len(rows) == live.MAZES, (generator, side)
            ends = np.array([row[1:] for row in rows])
            assert ends.min() >= 0
            assert ends.max() < int(side) ** 2
