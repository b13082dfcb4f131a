"""What cells receive is what their tokens are given; a common cause is no effect."""

import numpy as np
import pytest
from samples import one_question

from mazelib.dataset.stream import MazeStream, StreamConfig
from mazelib.internals.bottlenecks import (
    ARTICULATION,
    cell_table,
    correlation,
    received,
)
from mazelib.internals.lens import Site, activations, open_lens
from mazelib.mazes.generators import MazeConfig
from mazelib.models.checkpoint import TrainedModel
from mazelib.models.model import build

STREAM = StreamConfig(MazeConfig("dfs", 4), split="test")


def test_what_cells_receive_is_what_their_tokens_are_given(tiny_config, few):
    trained = TrainedModel(build(tiny_config, seed=4), tiny_config.tokenizer, {})
    lens, mazes = open_lens(trained), one_question(few)[:6]
    site = Site("pattern", 1)
    (part,) = activations(lens, mazes, [site])
    given = received(lens, mazes)
    assert given.shape == (6, 2, 2, 16)
    for b in range(6):
        asks = np.flatnonzero(part.batch.segment[b] == 1)
        for cell in (0, 5, 15):
            named = (part.roles.cell[b] == cell) & (part.batch.segment[b] == 0)
            mass = part.values[site][b, 1, asks][:, named].sum() / len(asks)
            assert given[b, 1, 1, cell] == pytest.approx(float(mass), abs=1e-5)


def test_a_cell_has_its_facts_beside_it():
    mazes = MazeStream(STREAM).take(0, 3)
    table = cell_table(mazes)
    assert len(table) == 3 * 16
    rows = table[table["maze"] == 2].reset_index(drop=True)
    maze, _, target, path = mazes[2]
    assert rows.index[rows["on_path"]].tolist() == sorted(path.tolist())
    assert rows["named"].tolist() == maze.degree.tolist()
    assert rows.loc[target, "to_target"] == 0
    assert rows.loc[target, "from_origin"] == len(path) - 1
    assert rows.loc[5, "to_centre"] == 1
    assert (rows["articulation"] == (maze.degree > 1)).all()  # in a maze without cycles


def test_attention_that_follows_the_path_is_no_attention_to_bottlenecks(rng):
    table = cell_table(MazeStream(STREAM).take(0, 200))
    noise = rng.random(len(table))
    follows = table["on_path"] + 0.5 * table["named"] + noise
    assert correlation(follows.to_numpy(), table, equal=[]) > 0.4
    assert abs(correlation(follows.to_numpy(), table)) < 0.05
    by_maze = follows + 100 * rng.random(200)[table["maze"]]  # mazes differ, by chance
    assert correlation(by_maze.to_numpy(), table, equal=[]) < 0.3
    assert correlation(by_maze.to_numpy(), table, equal=[], within=True) > 0.35
    heeds = follows + 3 * table["betweenness"]
    assert correlation(heeds.to_numpy(), table) > 0.3


def test_a_maze_that_is_drawn_again_counts_again_and_no_more(rng):
    table = cell_table(MazeStream(STREAM).take(0, 20))
    given = table["betweenness"] * (table["maze"] > 0) + 0.1 * rng.random(len(table))
    first = np.flatnonzero(table["maze"] == 0)
    rows = np.concatenate([np.arange(len(table)), *[first] * 30])
    copies = table.iloc[rows].reset_index(drop=True)
    as_others = copies.assign(maze=np.arange(len(rows)) // 16)
    found = [
        correlation(given.to_numpy()[rows], some, equal=[], within=True)
        for some in (copies, as_others)
    ]
    assert found[0] == pytest.approx(found[1])


def test_a_cut_may_be_told_from_being_named(rng):
    """Where there are cycles: cells that hold a maze together, named as often."""
    stream = StreamConfig(MazeConfig("dfs_percolation", 4, p=0.3), split="test")
    table = cell_table(MazeStream(stream).take(0, 200))
    assert 0.1 < table.loc[table["named"] == 2, ARTICULATION].mean() < 0.9
    named = (table["named"] + rng.random(len(table))).to_numpy()
    assert abs(correlation(named, table, neck=ARTICULATION)) < 0.05
    heeds = named + 2 * table[ARTICULATION].to_numpy()
    assert correlation(heeds, table, neck=ARTICULATION) > 0.3
