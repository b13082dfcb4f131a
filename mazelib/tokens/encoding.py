"""Compiled writing of mazes and questions as token ids, for one sample or a million.

A sequence is one edge list and then one or more questions about it (origin, target,
path). Several questions after one list are "packed": question k may look at the list
and at itself, and its positions count on from the list as if it stood alone.

`cells` holds the tokens of each cell of the vocabulary's grid, int32[side², width];
`special` the ids of the tokens in `SPECIAL`, in that order. A maze of side n stands in
the vocabulary's grid with its corner at `offset` (row, column).
"""

import numpy as np

from mazelib.mazes.lattice import compiled

PADDING = "<PADDING>"
SPECIAL = (
    "<ADJLIST_START>",
    "<ADJLIST_END>",
    "<ORIGIN_START>",
    "<ORIGIN_END>",
    "<TARGET_START>",
    "<TARGET_END>",
    "<PATH_START>",
    "<PATH_END>",
    "<-->",
    ";",
)
ADJLIST_START, ADJLIST_END, ORIGIN_START, ORIGIN_END = 0, 1, 2, 3
TARGET_START, TARGET_END, PATH_START, PATH_END, CONNECTOR, ENDLINE = 4, 5, 6, 7, 8, 9
"""Indices into `SPECIAL`."""

LIST_SEGMENT, PADDING_SEGMENT = 0, -1
"""Segment numbers of the edge list and of padding; question k is segment k + 1."""


def list_length(edges, width):
    """Tokens in an edge list of so many edges, its two delimiters included."""
    return 2 + edges * (2 * width + 2)


def question_length(path_cells, width):
    """Tokens in a question with a path of so many cells, its delimiters included."""
    return 6 + (2 + path_cells) * width


@compiled
def next_random(state):
    """The next 64 random bits of a sample's own stream, kept in state[0].

    SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators"
    (2014).
    """
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def shuffle_edges(edges, count, key):
    """Shuffle edges[:count, 2] and turn each about by a coin, all drawn from `key`."""
    state = np.empty(1, np.uint64)
    state[0] = key
    for i in range(count):
        bits = next_random(state)
        j = i + int((bits >> np.uint64(32)) * np.uint64(count - i) >> np.uint64(32))
        a, b = edges[j, 0], edges[j, 1]
        edges[j] = edges[i]
        if bits & np.uint64(1):
            a, b = b, a
        edges[i, 0], edges[i, 1] = a, b


@compiled
def collect_edges(right, down, walls, edges):
    """Write the open edges (for `walls`, the closed) to edges[:, 2]; count them."""
    n = right.shape[0]
    count = 0
    for row in range(n):
        for col in range(n - 1):
            if right[row, col] != walls:
                edges[count] = (row * n + col, row * n + col + 1)
                count += 1
    for row in range(n - 1):
        for col in range(n):
            if down[row, col] != walls:
                edges[count] = (row * n + col, (row + 1) * n + col)
                count += 1
    return count


@compiled
def write_cell(ids, at, tokens):
    """Write a cell's tokens at ids[at]; return the position after them."""
    for i in range(tokens.size):
        ids[at + i] = tokens[i]
    return at + tokens.size


@compiled
def write_list(ids, edges, count, cells, special):
    """Write the edge list at the start of ids; `cells` is numbered as the maze is."""
    ids[0] = special[ADJLIST_START]
    at = 1
    for i in range(count):
        at = write_cell(ids, at, cells[edges[i, 0]])
        ids[at] = special[CONNECTOR]
        at = write_cell(ids, at + 1, cells[edges[i, 1]])
        ids[at] = special[ENDLINE]
        at += 1
    ids[at] = special[ADJLIST_END]
    return at + 1


@compiled
def write_prompt(ids, at, origin, target, cells, special):
    """Write the origin and target up to <PATH_START>; return the position after."""
    ids[at] = special[ORIGIN_START]
    at = write_cell(ids, at + 1, cells[origin])
    ids[at] = special[ORIGIN_END]
    ids[at + 1] = special[TARGET_START]
    at = write_cell(ids, at + 2, cells[target])
    ids[at] = special[TARGET_END]
    ids[at + 1] = special[PATH_START]
    return at + 2


@compiled
def write_path(ids, at, path, length, cells, special):
    """Write path[:length] and <PATH_END>; return the position after."""
    for i in range(length):
        at = write_cell(ids, at, cells[path[i]])
    ids[at] = special[PATH_END]
    return at + 1


@compiled
def place_cells(cells, n, side, row, col, placed):
    """Fill placed[n², width] with the tokens of a maze's cells at offset (row, col)."""
    for cell in range(n * n):
        placed[cell] = cells[(cell // n + row) * side + cell % n + col]


@compiled
def write_sequences(
    mazes, questions, cells, special, walls, ids, position, segment, answer
):
    """Write a batch of packed sequences; all four outputs are [batch, pos].

    mazes: right, down, key[batch], offset[batch, 2]. questions: origin and
    target[batch, question], path[batch, question, cells], length[batch, question].
    `ids` comes in padded, `segment` full of PADDING_SEGMENT, `position` and `answer`
    zero. `answer` marks the path's tokens and <PATH_END>, which a model is to print.
    """
    right, down, key, offset = mazes
    origin, target, path, length = questions
    n = right.shape[1]
    side = int(np.sqrt(len(cells)))
    placed = np.empty((n * n, cells.shape[1]), cells.dtype)
    edges = np.empty((2 * n * (n - 1), 2), np.int16)
    for b in range(len(right)):
        place_cells(cells, n, side, offset[b, 0], offset[b, 1], placed)
        count = collect_edges(right[b], down[b], walls, edges)
        shuffle_edges(edges, count, key[b])
        list_end = write_list(ids[b], edges, count, placed, special)
        for at in range(list_end):
            segment[b, at], position[b, at] = LIST_SEGMENT, at
        at = list_end
        for k in range(origin.shape[1]):
            start = at
            at = write_prompt(ids[b], at, origin[b, k], target[b, k], placed, special)
            path_start = at
            at = write_path(ids[b], at, path[b, k], length[b, k], placed, special)
            for i in range(start, at):
                segment[b, i], position[b, i] = k + 1, list_end + i - start
                answer[b, i] = i >= path_start
