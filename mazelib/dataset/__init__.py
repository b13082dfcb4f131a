"""Streams of mazes with questions, disjoint splits of them, and files of them.

In: a `StreamConfig`, or a file. Out: a `MazeSet` of any size, or packed batches to
learn from; sample i depends on the seed, the split and i's chunk alone.

    mazes = MazeStream(StreamConfig(MazeConfig("dfs", 5), split="test")).take(0, 1000)
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "stream": ["CHUNK", "Batch", "MazeSet", "MazeStream", "StreamConfig"],
        "storage": ["read_mazes", "write_mazes"],
    },
)
