"""Windows are told apart by what lies in them, and by nothing else."""

import numpy as np
from hypothesis import given
from samples import maze_sets

from mazelib.behaviour.windows import window_codes, window_counts


def around(maze, cell: int, reach: int) -> frozenset:
    """The passages of a window, each by its two ends as seen from the middle."""
    n, (row, col) = maze.n, divmod(cell, maze.n)

    def seen(other: int) -> tuple[int, int]:
        return other // n - row, other % n - col

    ends = [tuple(map(seen, edge)) for edge in maze.edges().tolist()]
    if not reach:
        return frozenset(pair for pair in ends if (0, 0) in pair)
    return frozenset(
        pair for pair in ends if all(max(map(abs, end)) <= reach for end in pair)
    )


@given(maze_sets(grids=(2, 3, 5)))
def test_codes_are_the_same_where_windows_are(mazes):
    for reach in (0, 1):
        codes = window_codes(mazes, reach)
        windows = [
            around(sample.maze, cell, reach)
            for sample in mazes
            for cell in range(mazes.n**2)
        ]
        by_code, by_window = {}, {}
        for code, window in zip(codes.ravel(), windows, strict=True):
            assert by_code.setdefault(code, window) == window
            assert by_window.setdefault(window, code) == code
        counts = window_counts(codes)
        assert sum(counts[0].values()) == len(mazes)
        assert counts[1][int(codes[0, 1])] == np.sum(codes[:, 1] == codes[0, 1])
