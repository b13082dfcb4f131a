import numpy as np
import pytest

from mazelib.mazes import lattice
from mazelib.mazes.generators import MazeConfig, generate
from mazelib.mazes.maze import Maze


@pytest.mark.parametrize("n", [2, 3, 5])
def test_lattice_links_are_the_neighbours_in_the_grid(n):
    links, degree = lattice.lattice_links(n)
    for cell in range(n * n):
        row, col = divmod(cell, n)
        beside = {
            r * n + c
            for r, c in [(row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)]
            if 0 <= r < n and 0 <= c < n
        }
        assert set(links[cell, : degree[cell]].tolist()) == beside


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_edge_ends_list_every_lattice_edge_once(n):
    ends = lattice.edge_ends(n)
    assert len(ends) == 2 * n * (n - 1) == len({tuple(e) for e in ends.tolist()})


def images(maze: Maze) -> list[Maze]:
    """The maze turned and mirrored in all eight ways."""
    cells = np.arange(maze.n_cells).reshape(maze.n, maze.n)
    maps = [np.rot90(c, k).ravel() for c in (cells, cells.T) for k in range(4)]
    return [Maze.from_edges(maze.n, m[maze.edges()]) for m in maps]


def test_canonical_hash_is_shared_by_turns_and_mirror_images_alone():
    right, down = generate(MazeConfig("percolation", 4, p=0.5), 50, seed=0)
    mazes = [Maze(r, d) for r, d in zip(right, down, strict=True)]
    classes = {frozenset(images(maze)) for maze in mazes}
    assert len({maze.canonical_hash for maze in mazes}) == len(classes)
    for maze in mazes:
        assert len({image.canonical_hash for image in images(maze)}) == 1


def test_canonical_hash_depends_on_the_side():
    hashes = [
        Maze(np.zeros((n, n - 1), bool), np.zeros((n - 1, n), bool)).canonical_hash
        for n in (2, 3, 4)
    ]
    assert len(set(hashes)) == 3


def test_three_by_three_has_28_classes_of_trees_under_symmetry():
    right, down = generate(MazeConfig("wilson", 3), 5000, seed=0)
    mazes = {Maze(r, d) for r, d in zip(right, down, strict=True)}
    assert len(mazes) == 192
    assert len({m.canonical_hash for m in mazes}) == len(
        {frozenset(images(m)) for m in mazes}
    )
