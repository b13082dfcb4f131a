"""Generators of grid graphs that need not be spanning trees: with cycles, corridors.

Arguments as in `mazelib.mazes.generators.trees`; `p` is a probability.
"""

import numpy as np

from mazelib.mazes.generators.trees import begin, depth_first, kruskal, select, wilson
from mazelib.mazes.lattice import below, compiled, lattice_links, open_passage


@compiled
def percolation(rng, right, down, p):
    """Bond percolation: every lattice edge is open with probability `p`, independently.

    S. R. Broadbent and J. M. Hammersley, "Percolation processes" (1957). Passages that
    are open already stay so.
    """
    n = right.shape[1]
    for b in range(right.shape[0]):
        for i in range(n):
            for j in range(n - 1):
                right[b, i, j] |= rng.random() < p
                down[b, j, i] |= rng.random() < p


@compiled
def depth_first_percolation(rng, right, down, start, p):
    """Depth-first search, then percolation on top: connected, with cycles.

    The "percolated depth-first" mazes of arXiv 2312.02566.
    """
    cells = right.shape[1] ** 2
    depth_first(rng, right, down, start, cells, cells)
    percolation(rng, right, down, p)


def mixed(rng, right, down, p):
    """Each maze in one of four ways, drawn at random, for a model to learn from all.

    Depth-first search, Wilson's and Kruskal's algorithm, and percolated depth-first
    search, to which `p` belongs.
    """
    cells = right.shape[1] ** 2
    ways = (
        (depth_first, (-1, cells, cells)),
        (wilson, (-1,)),
        (kruskal, ()),
        (depth_first_percolation, (-1, p)),
    )
    kind = rng.integers(len(ways), size=len(right))
    for number, (make, options) in enumerate(ways):
        chosen = kind == number
        some_right, some_down = right[chosen], down[chosen]
        make(rng, some_right, some_down, *options)
        right[chosen], down[chosen] = some_right, some_down


@compiled
def forkless(rng, right, down, start, size):
    """A corridor without forks: a random walk over unvisited cells until it is stuck.

    The "forkless" or hallway mazes of arXiv 2312.02566. Cells off the corridor are
    joined to nothing.
    """
    n = right.shape[1]
    links, degree = lattice_links(n)
    visited = np.empty(n * n, np.bool_)
    fresh = np.empty(4, np.int64)
    for b in range(right.shape[0]):
        across, along = right[b].reshape(-1), down[b].reshape(-1)
        cell = begin(rng, start, visited)
        for _ in range(size - 1):
            options = select(links, degree, cell, visited, False, fresh)
            if options == 0:
                break
            chosen = fresh[below(rng, options)]
            open_passage(across, along, n, cell, chosen)
            visited[chosen] = True
            cell = chosen


def open_field(rng, right, down):
    """An open field, as the post asks for: every lattice edge is open."""
    right[:] = True
    down[:] = True


@compiled
def open_field_obstacle(rng, right, down):
    """An open field with one obstacle: a rectangle of cells joined to nothing.

    The post's "open field with a single object obstructing part of the path". Its two
    sides are uniform in 1 … n // 2 and it lies anywhere in the grid.
    """
    n = right.shape[1]
    right[:] = True
    down[:] = True
    for b in range(right.shape[0]):
        height = 1 + below(rng, n // 2)
        width = 1 + below(rng, n // 2)
        top = below(rng, n + 1 - height)
        left = below(rng, n + 1 - width)
        right[b, top : top + height, max(left - 1, 0) : left + width] = False
        down[b, max(top - 1, 0) : top + height, left : left + width] = False
