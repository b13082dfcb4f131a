"""The passages around each cell, as a number: do mazes look alike in small?

    codes = window_codes(mazes)                # [mazes, cells]: 3×3 cells around each
    counts = window_counts(codes)              # how often each cell has each code

A window holds the passages between the cells no more than `reach` rows and columns from
its middle; what lies beyond the border counts as wall.
"""

import numpy as np
from jaxtyping import Int

from mazelib.dataset.stream import MazeSet


def window_codes(mazes: MazeSet, reach: int = 1) -> Int[np.ndarray, "mazes cells"]:
    """A number for each cell that tells which passages lie around it.

    reach: 1 for 3×3 cells, of which there are 12 passages; 0 for the cell's own four
    sides.
    """
    n = mazes.n
    right = padded(mazes.right, reach + 1, (n, n - 1))
    down = padded(mazes.down, reach + 1, (n - 1, n))
    found = np.zeros((len(mazes), n, n), np.int64)
    for grid, rows, cols in sides(reach, right, down):
        top, left = rows + reach + 1, cols + reach + 1
        found = 2 * found + grid[:, top : top + n, left : left + n]
    return found.reshape(len(mazes), -1)


def padded(passages: np.ndarray, by: int, shape: tuple[int, int]) -> np.ndarray:
    """Passages of a grid, with walls beyond it on all sides."""
    n = max(shape)
    found = np.zeros((len(passages), n + 2 * by, n + 2 * by), np.int64)
    found[:, by : by + shape[0], by : by + shape[1]] = passages
    return found


def sides(reach: int, right: np.ndarray, down: np.ndarray):
    """Of each passage of a window: its array, and where it is from the middle."""
    if not reach:
        yield from ((right, 0, -1), (right, 0, 0), (down, -1, 0), (down, 0, 0))
        return
    around = range(-reach, reach + 1)
    for rows in around:
        yield from ((right, rows, cols) for cols in range(-reach, reach))
    for rows in range(-reach, reach):
        yield from ((down, rows, cols) for cols in around)


def window_counts(
    codes: Int[np.ndarray, "mazes cells"],
) -> list[dict[int, int]]:
    """How often each cell has each code."""
    each = (np.unique(column, return_counts=True) for column in codes.T)
    return [dict(zip(*(x.tolist() for x in pair), strict=True)) for pair in each]
