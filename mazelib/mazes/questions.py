"""Compiled drawing of questions (origin, target, shortest path) and splitting by hash.

In: batches `right[batch, n, n - 1]` and `down[batch, n - 1, n]`. Out: arrays that the
caller hands over. Use through `mazelib.dataset.stream`.
"""

import numpy as np
from jaxtyping import Bool, UInt8, UInt64

from mazelib.mazes.lattice import (
    below,
    canonical_hashes,
    compiled,
    distances,
    link_cells,
    zobrist_keys,
)

TRAIN, VALIDATION, TEST = 0, 1, 2
UNIFORM, DEAD_ENDS, CORNERS = 0, 1, 2


@compiled
def is_open_region(right, down, accessible):
    """Is every lattice edge between two accessible cells open, and is there a cycle?

    So in an open field, with or without an obstacle. An accessible cell is one with a
    passage; `accessible[n, n]` is scratch space.
    """
    n = right.shape[0]
    accessible[:] = False
    passages = 0
    for i in range(n):
        for j in range(n - 1):
            if right[i, j]:
                accessible[i, j] = accessible[i, j + 1] = True
                passages += 1
            if down[j, i]:
                accessible[j, i] = accessible[j + 1, i] = True
                passages += 1
    if passages < accessible.sum():
        return False
    for i in range(n):
        for j in range(n - 1):
            if accessible[i, j] and accessible[i, j + 1] and not right[i, j]:
                return False
            if accessible[j, i] and accessible[j + 1, i] and not down[j, i]:
                return False
    return True


@compiled
def split_codes(right, down, hashes, out):
    """Fill out[batch] with the split each maze belongs to, by its canonical hash.

    Of 8 remainders 6 are for training, 1 for validation, 1 for testing. Open fields
    with at most a few obstacles are too few to be parted so: all are for testing.
    """
    n = right.shape[1]
    accessible = np.empty((n, n), np.bool_)
    for b in range(len(out)):
        remainder = hashes[b] % np.uint64(8)
        if remainder == 0 or is_open_region(right[b], down[b], accessible):
            out[b] = TEST
        elif remainder == 1:
            out[b] = VALIDATION
        else:
            out[b] = TRAIN


def hashes_of(
    right: Bool[np.ndarray, "mazes n n-1"], down: Bool[np.ndarray, "mazes n-1 n"]
) -> UInt64[np.ndarray, "mazes"]:
    """The canonical hash of each maze (see `Maze.canonical_hash`)."""
    out = np.empty(len(right), np.uint64)
    keys = zobrist_keys(right.shape[1])
    canonical_hashes(right, down, keys, out)
    return out


def splits_of(
    right: Bool[np.ndarray, "mazes n n-1"], down: Bool[np.ndarray, "mazes n-1 n"]
) -> UInt8[np.ndarray, "mazes"]:
    """The split each maze belongs to, as an index into `dataset.stream.SPLITS`."""
    codes = np.empty(len(right), np.uint8)
    split_codes(right, down, hashes_of(right, down), codes)
    return codes


@compiled
def list_ends(n, degree, rule, ends):
    """Write the cells that may be origin or target to ends[cells]; return how many."""
    count = 0
    for cell in range(n * n):
        fits = degree[cell] > 0
        if rule == DEAD_ENDS:
            fits = degree[cell] == 1
        elif rule == CORNERS:
            fits = cell in (0, n - 1, n * n - n, n * n - 1)
        if fits:
            ends[count] = cell
            count += 1
    return count


@compiled
def draw_path(rng, links, degree, target, distance, path):
    """Fill path with a shortest path to `target` from the cell at distance 0.

    Where several cells before one lie equally near the origin, one is drawn.
    """
    nearer = np.empty(4, np.int64)
    cell = target
    path[distance[target]] = target
    for step in range(distance[target] - 1, -1, -1):
        count = 0
        for i in range(degree[cell]):
            if distance[links[cell, i]] == step:
                nearer[count] = links[cell, i]
                count += 1
        cell = nearer[below(rng, count)] if count > 1 else nearer[0]
        path[step] = cell


@compiled
def draw_question(rng, links, degree, ends, count, min_steps, distance, targets):
    """An origin and a target among ends[:count], or (-1, -1) where no pair fits.

    The origin is uniform among the ends that have a target at least `min_steps` away,
    the target uniform among those. `ends` is reordered; `distance` is left holding the
    steps from the origin.
    """
    left = count
    while left:
        pick = below(rng, left)
        origin = ends[pick]
        distances(links, degree, origin, distance)
        found = 0
        for i in range(count):
            if distance[ends[i]] >= min_steps:
                targets[found] = ends[i]
                found += 1
        if found:
            return origin, targets[below(rng, found)]
        left -= 1
        ends[pick], ends[left] = ends[left], ends[pick]
    return -1, -1


@compiled
def draw_questions(rng, right, down, rule, min_steps, origin, target, path, length):
    """Draw a question for every place in origin[batch, question].

    Fills origin, target and length (cells of the path; 0 where a maze has no pair that
    fits) and path[batch, question, cells], which comes in full of -1.
    """
    n = right.shape[1]
    links, degree = np.empty((n * n, 4), np.int64), np.empty(n * n, np.int64)
    ends, targets = np.empty(n * n, np.int64), np.empty(n * n, np.int64)
    distance = np.empty(n * n, np.int16)
    for b in range(len(right)):
        link_cells(right[b], down[b], links, degree)
        count = list_ends(n, degree, rule, ends)
        for k in range(origin.shape[1]):
            start, goal = draw_question(
                rng, links, degree, ends, count, min_steps, distance, targets
            )
            length[b, k] = 0
            if start < 0:
                continue
            origin[b, k], target[b, k] = start, goal
            length[b, k] = distance[goal] + 1
            draw_path(rng, links, degree, goal, distance, path[b, k])


def lacking(right, down, rule: int, min_steps: int) -> tuple[str, str] | None:
    """What none of the mazes has that a question asks for, and the remedy, in words.

    None where some have all: then it is the split that holds none of them.
    """

    def none_fits(rule: int, min_steps: int) -> bool:
        n, shape = right.shape[1], (len(right), 1)
        places = [np.zeros(shape, np.int16) for _ in range(3)]
        path = np.empty((*shape, n * n), np.int16)
        origin, target, length = places
        rng = np.random.default_rng(0)
        draw_questions(rng, right, down, rule, min_steps, origin, target, path, length)
        return not length.any()

    kind = ("cells", "dead ends", "corners")[rule]
    if none_fits(UNIFORM, 1):
        return "has a passage, so that there is nothing to ask", "raise p"
    if none_fits(rule, 1):
        return f"has two {kind} with a way between them", "take endpoints uniform"
    if none_fits(rule, min_steps):
        return f"has {kind} at least {min_steps} steps apart", "lower min_steps"
    return None
