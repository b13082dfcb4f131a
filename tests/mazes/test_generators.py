import numpy as np
import pytest
from scipy.stats import chisquare

from mazelib.errors import MazelibError
from mazelib.mazes.generators import GENERATORS, PERFECT, MazeConfig, generate
from mazelib.mazes.maze import Maze


def mazes(config: MazeConfig, count: int, seed: int = 0) -> list[Maze]:
    right, down = generate(config, count, seed)
    return [Maze(r, d) for r, d in zip(right, down, strict=True)]


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("grid", [2, 3, 5, 8])
def test_mazes_have_the_grid_asked_for_and_the_seed_decides(generator, grid):
    config = MazeConfig(generator, grid)
    right, down = generate(config, 5, seed=3)
    assert right.shape == (5, grid, grid - 1)
    assert down.shape == (5, grid - 1, grid)
    again = generate(config, 5, seed=3)
    assert np.array_equal(right, again[0])
    assert np.array_equal(down, again[1])


@pytest.mark.parametrize("generator", [g for g in GENERATORS if g != "open_field"])
def test_another_seed_gives_other_mazes(generator):
    config = MazeConfig(generator, 6)
    assert mazes(config, 20, seed=0) != mazes(config, 20, seed=1)


@pytest.mark.parametrize("generator", PERFECT)
@pytest.mark.parametrize("grid", [2, 3, 6, 11])
def test_perfect_generators_make_spanning_trees(generator, grid):
    assert all(maze.is_tree for maze in mazes(MazeConfig(generator, grid), 50))


def test_mixed_mazes_are_made_in_four_ways():
    """On 3×3 the crossing in the middle tells Wilson and Kruskal from depth-first."""
    found = mazes(MazeConfig("mixed", 3, p=0.5), 4000)
    trees = [maze for maze in found if maze.is_tree]
    share = 3 / 4 + 0.5**4 / 4  # percolation that opens none of four walls is a tree
    assert abs(len(trees) / 4000 - share) < 0.03
    dfs = set(mazes(MazeConfig("dfs", 3), 4000))
    others = np.mean([maze not in dfs for maze in trees])
    alone = [mazes(MazeConfig(g, 3), 4000) for g in ("wilson", "kruskal")]
    expected = np.mean([maze not in dfs for made in alone for maze in made])
    assert abs(others - expected * 2 / 4 / share) < 0.04


@pytest.mark.parametrize("generator", ["wilson", "aldous_broder"])
def test_uniform_over_the_192_spanning_trees_of_3_by_3(generator):
    counts: dict[Maze, int] = {}
    for maze in mazes(MazeConfig(generator, 3), 19200):
        counts[maze] = counts.get(maze, 0) + 1
    assert len(counts) == 192
    assert chisquare(list(counts.values())).pvalue > 0.001


@pytest.mark.parametrize("generator", ["dfs", "prim", "binary_tree"])
def test_the_uniformity_test_tells_biased_generators(generator):
    counts: dict[Maze, int] = {}
    for maze in mazes(MazeConfig(generator, 3), 19200):
        counts[maze] = counts.get(maze, 0) + 1
    assert chisquare([*counts.values(), *[0] * (192 - len(counts))]).pvalue < 1e-6


@pytest.mark.parametrize(
    "generator", ["dfs", "prim", "aldous_broder", "hunt_and_kill", "forkless"]
)
def test_every_start_cell_occurs(generator):
    # of two accessible cells one is the start, so every cell must turn up
    found = mazes(MazeConfig(generator, 4, accessible=2 / 16), 600)
    assert {int(c) for m in found for c in np.flatnonzero(m.degree)} == set(range(16))
    assert all(len(m.edges()) == 1 for m in found)


@pytest.mark.parametrize("start", [0, 7, 15])
@pytest.mark.parametrize(
    "generator", ["dfs", "prim", "aldous_broder", "hunt_and_kill", "forkless"]
)
def test_start_is_where_the_maze_grows_from(generator, start):
    config = MazeConfig(generator, 4, start=start, accessible=5 / 16)
    assert all(maze.degree[start] > 0 for maze in mazes(config, 30))


@pytest.mark.parametrize("generator", ["dfs", "prim", "aldous_broder", "hunt_and_kill"])
def test_accessible_counts_the_cells_of_one_tree(generator):
    for maze in mazes(MazeConfig(generator, 6, accessible=0.5), 30):
        assert (maze.degree > 0).sum() == 18
        assert len(maze.edges()) == 17


def test_max_depth_bounds_the_steps_from_the_start():
    for maze in mazes(MazeConfig("dfs", 6, start=14, max_depth=3), 30):
        distance = maze.distances(14)
        assert distance.max() == 3
        assert ((distance >= 0) == (maze.degree > 0)).all()


def test_forkless_mazes_are_one_corridor():
    lengths = set()
    for maze in mazes(MazeConfig("forkless", 5), 100):
        assert maze.degree.max() <= 2
        assert len(maze.dead_ends) == 2
        lengths.add(len(maze.edges()))
    assert len(lengths) > 5


def test_percolation_opens_edges_with_probability_p():
    right, down = generate(MazeConfig("percolation", 6, p=0.3), 2000, seed=0)
    rates = np.concatenate([right.mean(0).ravel(), down.mean(0).ravel()])
    assert abs(rates.mean() - 0.3) < 0.005
    assert np.abs(rates - 0.3).max() < 5 * (0.3 * 0.7 / 2000) ** 0.5
    assert not generate(MazeConfig("percolation", 6, p=0.0), 5, 0)[0].any()
    assert generate(MazeConfig("percolation", 6, p=1.0), 5, 0)[1].all()


def test_percolated_depth_first_adds_edges_to_a_connected_maze():
    found = mazes(MazeConfig("dfs_percolation", 6, p=0.2), 50)
    assert all(maze.is_connected for maze in found)
    extra = np.mean([len(maze.edges()) - 35 for maze in found])
    assert abs(extra - 0.2 * 25) < 1


def test_open_field_has_no_walls():
    assert len(mazes(MazeConfig("open_field", 5), 1)[0].edges(walls=True)) == 0


def test_obstacle_is_one_rectangle_of_closed_cells():
    shapes = set()
    for maze in mazes(MazeConfig("open_field_obstacle", 6), 300):
        rows, cols = np.divmod(np.flatnonzero(maze.degree == 0), 6)
        height, width = np.ptp(rows) + 1, np.ptp(cols) + 1
        assert len(rows) == height * width
        shapes.add((int(height), int(width)))
        walls = maze.edges(walls=True)
        assert (maze.degree[walls] == 0).any(1).all()
    assert shapes == {(h, w) for h in (1, 2, 3) for w in (1, 2, 3)}


def test_binary_tree_and_sidewinder_have_their_corridors():
    for maze in mazes(MazeConfig("binary_tree", 6), 20):
        assert maze.right[0].all()
        assert maze.down[:, 0].all()
    for maze in mazes(MazeConfig("sidewinder", 6), 20):
        assert maze.right[0].all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generator": "maize"}, "no generator 'maize': choose one of dfs"),
        ({"grid": 1}, "grid is 1, but must be from 2 to 64"),
        ({"grid": 65}, "grid is 65"),
        ({"generator": "percolation", "p": 1.5}, "p is 1.5, but must be from 0 to 1"),
        ({"p": 0.5}, "'dfs' has no option p.*percolation"),
        ({"start": 36}, "start is 36, but must be a cell from 0 to 35"),
        ({"max_depth": 0}, "max_depth is 0"),
        ({"accessible": 0.0}, "accessible is 0.0"),
        ({"generator": "kruskal", "accessible": 0.5}, "has no option accessible"),
        ({"generator": "prim", "max_depth": 3}, "has no option max_depth"),
    ],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(MazelibError, match=message):
        MazeConfig(**options)


def test_negative_count_is_an_error():
    with pytest.raises(MazelibError, match="count is -1"):
        generate(MazeConfig(), -1, 0)
