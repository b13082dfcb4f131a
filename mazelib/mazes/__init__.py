"""Mazes: grid graphs, the ways to make them, questions about them, and how they look.

In: a generator's name, a size and a seed. Out: `Maze`, or batches as two boolean
arrays, `right[batch, n, n-1]` and `down[batch, n-1, n]` (is a cell joined to the one to
the right of it, below it?); cell (row, col) has the number row * n + col.

    right, down = generate(MazeConfig("dfs", grid=5), count=100, seed=0)
    maze = Maze(right[0], down[0])
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "maze": ["Maze"],
        "generators": ["GENERATORS", "PERFECT", "MazeConfig", "generate"],
        "drawing": [
            "PALETTE",
            "Beside",
            "Cells",
            "ColouredTokens",
            "Drawing",
            "Gallery",
        ],
    },
)
