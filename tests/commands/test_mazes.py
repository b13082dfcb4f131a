"""The commands generate and baseline as a person meets them."""

import json

import pytest

from mazelib.dataset.storage import read_mazes
from mazelib.mazes.generators import GENERATORS
from mazelib.tokens.tokenizer import Tokenizer


@pytest.mark.parametrize("generator", GENERATORS)
def test_generate_prints_one_valid_maze_a_line(run, generator):
    code, out, _ = run("generate", "--generator", generator, "--grid", 4, "--count", 3)
    assert code == 0
    for line in out.splitlines():
        maze, origin, target, path = Tokenizer("ut", 4).parse(line)
        assert len(path) - 1 == maze.distances(origin)[target]
    assert len(out.splitlines()) == 3


def test_generate_repeats_itself_and_heeds_its_flags(run):
    flags = ["--grid=5", "--count=4", "--tokens=ctt", "--side=6", "--min-steps=7"]
    first, again = run("generate", *flags), run("generate", *flags)
    assert first == again
    assert run("generate", *flags, "--seed", 1)[1] != first[1]
    for line in first[1].splitlines():
        assert len(Tokenizer("ctt", 6).parse(line).path) >= 8


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_generate_writes_files(run, tmp_path, ending):
    path = tmp_path / f"mazes.{ending}"
    code, out, _ = run("generate", "--count", 30, "--out", path)
    assert (code, out) == (0, f"30 mazes written to {path}\n")
    assert len(read_mazes(path)) == 30
    rows = run("generate", "--count", 30, "--json")[1].splitlines()
    assert json.loads(rows[29])["origin"] == list(
        divmod(int(read_mazes(path)[29].origin), 6)
    )


def test_baseline_prints_its_keys(run):
    for solver in ("random", "greedy"):
        code, out, _ = run("baseline", "--solver", solver, "--count", 40, "--json")
        facts = json.loads(out)
        assert code == 0
        assert facts["solver"] == solver
        assert {"generator", "grid", "n", "exact", "fork_accuracy"} <= set(facts)
        assert 0 < facts["exact"] < 1
    assert "exact " in run("baseline", "--count", 40)[1]


def test_spread_places_mazes_anywhere_in_a_larger_grid(run):
    out = run("generate", "--grid=2", "--spread=5", "--count=40")[1]
    cells = {token for token in out.split() if token.startswith("(")}
    assert "(4,4)" in cells
    assert "(0,0)" in cells
