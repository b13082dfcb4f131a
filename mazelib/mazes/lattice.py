"""Compiled routines on one grid graph: the neighbours of a cell, distances, a hash.

A grid of side n has cells numbered row * n + col. Its passages are two boolean arrays:
`right[n, n - 1]`, is (r, c) joined to (r, c + 1), and `down[n - 1, n]`, is (r, c)
joined to (r + 1, c). Everything here is compiled by numba, checks nothing, writes into
arrays that the caller hands over, and releases the interpreter lock.
`mazelib.mazes.maze.Maze` is the same with checks; use that unless there are many mazes.

    links, degree = np.empty((n * n, 4), np.int64), np.empty(n * n, np.int64)
    link_cells(right, down, links, degree)
    distances(links, degree, 0, distance := np.empty(n * n, np.int16))

Numba keeps what it compiled beside the source. It looks for changes in the file of the
compiled function alone: after editing this one, `make clean-compiled`.
"""

from functools import lru_cache

import numpy as np
from numba import njit

compiled = njit(cache=True, nogil=True)


@compiled
def below(rng, bound):
    """A uniform integer in 0 … bound - 1 (its bias, bound / 2**53, is ignored)."""
    return int(rng.random() * bound)


@compiled
def link_cells(right, down, links, degree):
    """Fill links[n * n, 4] with the cells joined to each, degree[n * n] of them."""
    n = right.shape[0]
    degree[:] = 0
    for row in range(n):
        for col in range(n - 1):
            if right[row, col]:
                join(row * n + col, row * n + col + 1, links, degree)
    for row in range(n - 1):
        for col in range(n):
            if down[row, col]:
                join(row * n + col, (row + 1) * n + col, links, degree)


@compiled
def join(a, b, links, degree):
    """Write two cells into each other's links."""
    links[a, degree[a]], links[b, degree[b]] = b, a
    degree[a] += 1
    degree[b] += 1


@compiled
def lattice_links(n):
    """The links and degree, as of `link_cells`, of a grid without walls."""
    links, degree = np.empty((n * n, 4), np.int64), np.empty(n * n, np.int64)
    field = np.ones(n * (n - 1), np.bool_)
    link_cells(field.reshape(n, n - 1), field.reshape(n - 1, n), links, degree)
    return links, degree


@compiled
def open_passage(right, down, n, a, b):
    """Open the passage between two neighbouring cells; `right` and `down` come flat."""
    first = min(a, b)
    if abs(a - b) == 1:
        right[first - first // n] = True
    else:
        down[first] = True


@compiled
def distances(links, degree, source, distance):
    """Fill distance[n * n] with steps from `source` (-1: out of reach); breadth-first.

    `links` and `degree` as `link_cells` fills them.
    """
    queue = np.empty(distance.size, np.int64)
    distance[:] = -1
    distance[source] = 0
    queue[0] = source
    head, tail = 0, 1
    while head < tail:
        cell = queue[head]
        head += 1
        for i in range(degree[cell]):
            beside = links[cell, i]
            if distance[beside] < 0:
                distance[beside] = distance[cell] + 1
                queue[tail] = beside
                tail += 1


@lru_cache
def edge_ends(n):
    """The 2n(n - 1) lattice edges of a grid as int16[edge, 2] cells, rights first."""
    cells = np.arange(n * n, dtype=np.int16).reshape(n, n)
    across = np.stack([cells[:, :-1], cells[:, 1:]], -1).reshape(-1, 2)
    along = np.stack([cells[:-1], cells[1:]], -1).reshape(-1, 2)
    ends = np.concatenate([across, along])
    ends.setflags(write=False)
    return ends


@lru_cache
def zobrist_keys(n):
    """The hash keys uint64[edge, 8] of each lattice edge under the 8 symmetries.

    A set of edges is hashed as the XOR of its keys (Zobrist 1970, "A new hashing method
    with application for game playing"); column s holds the keys after symmetry s of
    the square, so eight XORs hash a maze and its seven mirror images and turns.
    """
    cells = np.arange(n * n).reshape(n, n)
    images = [np.rot90(f, k) for f in (cells, cells.T) for k in range(4)]
    ends = edge_ends(n).astype(np.int64)
    number = {tuple(edge): i for i, edge in enumerate(ends.tolist())}
    keys = np.random.default_rng([n, 0x5EED]).integers(
        0, 2**64, len(ends), dtype=np.uint64
    )
    table = np.empty((len(ends), 8), np.uint64)
    for s, image in enumerate(images):
        moved = np.sort(image.reshape(-1)[ends], axis=1)
        table[:, s] = keys[[number[tuple(edge)] for edge in moved.tolist()]]
    table.setflags(write=False)
    return table


@compiled
def canonical_hashes(right, down, keys, out):
    """Fill out[batch] with hashes that a maze shares with its turns and mirror images.

    The smallest of the eight Zobrist hashes in `keys` (see `zobrist_keys`).
    """
    n = right.shape[1]
    images = np.empty(8, np.uint64)
    for b in range(right.shape[0]):
        images[:] = np.uint64(n)
        for i in range(n * (n - 1)):
            if right[b, i // (n - 1), i % (n - 1)]:
                images ^= keys[i]
        for i in range(n * (n - 1)):
            if down[b, i // n, i % n]:
                images ^= keys[n * (n - 1) + i]
        out[b] = images.min()
