"""Spanning-tree generators: between any two cells there is exactly one path.

Each function fills `right[batch, n, n - 1]` and `down[batch, n - 1, n]`, which come in
all closed, from a numpy Generator. `start` is the cell to begin at (-1: drawn anew for
each maze); `size` is the number of cells to reach, fewer than n * n for a sparse maze.
Compiled; call them through `mazelib.mazes.generators.generate`, which checks its
arguments.

Descriptions of all of them: J. Buck, Mazes for Programmers (2015).
"""

import numpy as np

from mazelib.mazes.lattice import (
    below,
    compiled,
    edge_ends,
    lattice_links,
    open_passage,
)


@compiled
def begin(rng, start, visited):
    """Visit one cell and no other: `start`, or a uniform one where that is negative."""
    visited[:] = False
    cell = start if start >= 0 else below(rng, len(visited))
    visited[cell] = True
    return cell


@compiled
def select(links, degree, cell, visited, wanted, out):
    """Write the cells beside `cell` whose visited is `wanted` to out; count them."""
    count = 0
    for i in range(degree[cell]):
        if visited[links[cell, i]] == wanted:
            out[count] = links[cell, i]
            count += 1
    return count


@compiled
def depth_first(rng, right, down, start, size, max_depth):
    """Randomized depth-first search, the recursive backtracker (Buck 2015).

    From the newest cell step to a random unvisited neighbour; where there is none, or
    the cell lies `max_depth` steps from the start, go back one.
    """
    n = right.shape[1]
    links, degree = lattice_links(n)
    stack = np.empty(n * n, np.int64)
    visited = np.empty(n * n, np.bool_)
    fresh = np.empty(4, np.int64)
    for b in range(right.shape[0]):
        across, along = right[b].reshape(-1), down[b].reshape(-1)
        stack[0] = begin(rng, start, visited)
        depth, count = 0, 1
        while depth >= 0 and count < size:
            cell = stack[depth]
            options = 0
            if depth < max_depth:
                options = select(links, degree, cell, visited, False, fresh)
            if options == 0:
                depth -= 1
                continue
            chosen = fresh[below(rng, options)]
            open_passage(across, along, n, cell, chosen)
            visited[chosen] = True
            depth += 1
            count += 1
            stack[depth] = chosen


@compiled
def prim(rng, right, down, start, size):
    """Randomized Prim: open a random edge between the tree and an outside cell.

    R. C. Prim, "Shortest connection networks and some generalizations" (1957), with a
    uniform choice in place of the cheapest edge.
    """
    n = right.shape[1]
    links, degree = lattice_links(n)
    inside = np.empty(8 * n * n, np.int64)
    outside = np.empty(8 * n * n, np.int64)
    visited = np.empty(n * n, np.bool_)
    fresh = np.empty(4, np.int64)
    for b in range(right.shape[0]):
        across, along = right[b].reshape(-1), down[b].reshape(-1)
        cell = begin(rng, start, visited)
        edges, count = 0, 1
        while count < size:
            for i in range(select(links, degree, cell, visited, False, fresh)):
                inside[edges], outside[edges] = cell, fresh[i]
                edges += 1
            pick = below(rng, edges)
            origin, cell = inside[pick], outside[pick]
            edges -= 1
            inside[pick], outside[pick] = inside[edges], outside[edges]
            if visited[cell]:
                continue
            open_passage(across, along, n, origin, cell)
            visited[cell] = True
            count += 1


@compiled
def kruskal_edges(rng, right, down, ends):
    """Randomized Kruskal on the lattice edges `ends`; see `kruskal`."""
    n = right.shape[1]
    parent = np.empty(n * n, np.int64)
    order = np.arange(len(ends))
    for b in range(right.shape[0]):
        across, along = right[b].reshape(-1), down[b].reshape(-1)
        parent[:] = np.arange(n * n)
        for i in range(len(order) - 1, -1, -1):
            j = below(rng, i + 1)
            order[i], order[j] = order[j], order[i]
            a, c = ends[order[i], 0], ends[order[i], 1]
            root, other = a, c
            while parent[root] != root:
                root = parent[root]
            while parent[other] != other:
                other = parent[other]
            if root != other:
                parent[root] = other
                open_passage(across, along, n, a, c)


def kruskal(rng, right, down):
    """Randomized Kruskal: open each edge, in random order, that joins two components.

    J. B. Kruskal, "On the shortest spanning subtree of a graph" (1956).
    """
    kruskal_edges(rng, right, down, edge_ends(right.shape[1]))


@compiled
def wilson(rng, right, down, start):
    """Wilson's algorithm: loop-erased random walks; uniform over the spanning trees.

    D. B. Wilson, "Generating random spanning trees more quickly than the cover time"
    (1996). `start` is the root, which the tree's distribution does not depend on.
    """
    n = right.shape[1]
    links, degree = lattice_links(n)
    inside = np.empty(n * n, np.bool_)
    step = np.empty(n * n, np.int64)
    for b in range(right.shape[0]):
        across, along = right[b].reshape(-1), down[b].reshape(-1)
        begin(rng, start, inside)
        for first in range(n * n):
            cell = first
            while not inside[cell]:
                step[cell] = links[cell, below(rng, degree[cell])]
                cell = step[cell]
            cell = first
            while not inside[cell]:
                open_passage(across, along, n, cell, step[cell])
                inside[cell] = True
                cell = step[cell]


@compiled
def aldous_broder(rng, right, down, start, size):
    """Aldous–Broder: a random walk opens the edge by which it first enters each cell.

    Uniform over the spanning trees. A. Broder, "Generating random spanning trees"
    (1989); D. Aldous, "The random walk construction of uniform spanning trees" (1990).
    """
    n = right.shape[1]
    links, degree = lattice_links(n)
    visited = np.empty(n * n, np.bool_)
    for b in range(right.shape[0]):
        across, along = right[b].reshape(-1), down[b].reshape(-1)
        cell = begin(rng, start, visited)
        count = 1
        while count < size:
            chosen = links[cell, below(rng, degree[cell])]
            if not visited[chosen]:
                open_passage(across, along, n, cell, chosen)
                visited[chosen] = True
                count += 1
            cell = chosen


@compiled
def hunt(rng, links, degree, visited, beside):
    """The first unvisited cell beside a visited one, and a random one of those."""
    for cell in range(len(visited)):
        if not visited[cell]:
            count = select(links, degree, cell, visited, True, beside)
            if count:
                return cell, beside[below(rng, count)]
    return -1, -1


@compiled
def hunt_and_kill(rng, right, down, start, size):
    """Hunt-and-kill: a random walk over unvisited cells; stuck, it hunts row by row.

    As in Buck (2015). The hunt joins the first unvisited cell that lies beside the tree
    to it.
    """
    n = right.shape[1]
    links, degree = lattice_links(n)
    visited = np.empty(n * n, np.bool_)
    beside = np.empty(4, np.int64)
    for b in range(right.shape[0]):
        across, along = right[b].reshape(-1), down[b].reshape(-1)
        cell = begin(rng, start, visited)
        count = 1
        while count < size:
            options = select(links, degree, cell, visited, False, beside)
            if options:
                chosen, origin = beside[below(rng, options)], cell
            else:
                chosen, origin = hunt(rng, links, degree, visited, beside)
            open_passage(across, along, n, origin, chosen)
            visited[chosen] = True
            cell = chosen
            count += 1
