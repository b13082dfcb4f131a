"""Spanning-tree generators with a bias one can see, made row by row or by cutting.

Arguments as in `mazelib.mazes.generators.trees`. Descriptions: J. Buck, Mazes for
Programmers (2015).
"""

import numpy as np

from mazelib.mazes.lattice import below, compiled


@compiled
def binary_tree(rng, right, down):
    """Binary tree: every cell is joined to the cell above or to its left, by a coin.

    As in Buck (2015). The top row and the left column are corridors.
    """
    n = right.shape[1]
    for b in range(right.shape[0]):
        for row in range(n):
            for col in range(n):
                if row == 0 and col == 0:
                    continue
                if col == 0 or (row > 0 and rng.random() < 0.5):
                    down[b, row - 1, col] = True
                else:
                    right[b, row, col - 1] = True


@compiled
def sidewinder(rng, right, down):
    """Sidewinder: runs of random length along each row, each joined upward once.

    As in Buck (2015). The top row is a corridor.
    """
    n = right.shape[1]
    for b in range(right.shape[0]):
        right[b, 0] = True
        for row in range(1, n):
            run = 0
            for col in range(n):
                if col == n - 1 or rng.random() < 0.5:
                    down[b, row - 1, run + below(rng, col + 1 - run)] = True
                    run = col + 1
                else:
                    right[b, row, col] = True


@compiled
def recursive_division(rng, right, down):
    """Recursive division: cut an open field by a wall with one gap, then each half.

    As in Buck (2015). A chamber is cut across its longer side, a square one by a coin;
    the wall's place and its gap are uniform. A chamber one cell wide is left as a
    corridor.
    """
    n = right.shape[1]
    chambers = np.empty((n * n, 4), np.int64)
    for b in range(right.shape[0]):
        right[b] = True
        down[b] = True
        chambers[0] = (0, 0, n, n)
        count = 1
        while count:
            count -= 1
            top, left, height, width = chambers[count]
            if height == 1 or width == 1:
                continue
            if height > width or (height == width and rng.random() < 0.5):
                upper = 1 + below(rng, height - 1)
                gap = left + below(rng, width)
                down[b, top + upper - 1, left : left + width] = False
                down[b, top + upper - 1, gap] = True
                chambers[count] = (top, left, upper, width)
                chambers[count + 1] = (top + upper, left, height - upper, width)
            else:
                lefter = 1 + below(rng, width - 1)
                gap = top + below(rng, height)
                right[b, top : top + height, left + lefter - 1] = False
                right[b, gap, left + lefter - 1] = True
                chambers[count] = (top, left, height, lefter)
                chambers[count + 1] = (top, left + lefter, height, width - lefter)
            count += 2
