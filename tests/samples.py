"""What tests of several rooms need: random networks, small sets of mazes."""

from dataclasses import replace

import numpy as np
import torch
from hypothesis import strategies as st

from mazelib.dataset import MazeSet, MazeStream, StreamConfig
from mazelib.mazes import GENERATORS, MazeConfig
from mazelib.models import MazeModelConfig, build
from mazelib.training import TrainConfig

SHORT_RUN = TrainConfig(
    StreamConfig(MazeConfig("dfs", 3), questions=2),
    MazeModelConfig(side=4, layers=2, width=16, heads=2, max_positions=160),
    steps=13,
    batch=4,
    average=0.9,
    decay=0.5,
    evaluate_every=4,
    validation=16,
    ladder=2,
)


def large(config: MazeModelConfig, seed: int, times: float = 12):
    """A random model whose weights are large, so that what it does varies."""
    model = build(config, seed)
    with torch.no_grad():
        for matrix in model.parameters():
            matrix *= times if matrix.ndim == 2 else 1
    return model


def one_question(mazes: MazeSet, k: int = 0) -> MazeSet:
    """The same mazes with the k-th of their questions alone."""
    names = ("origin", "target", "path", "length")
    return replace(mazes, **{n: getattr(mazes, n)[:, k : k + 1] for n in names})


def maze_sets(grids=(2, 3, 4, 6), count=4, **options):
    """Small sets of mazes of every generator, as a hypothesis strategy."""

    def draw(generator: str, grid: int, seed: int) -> MazeSet:
        p = 0.5 if "p" in GENERATORS[generator][1] else None
        config = StreamConfig(
            MazeConfig(generator, grid, p=p), seed=seed, split="any", **options
        )
        return MazeStream(config).take(seed % 500, count)

    return st.builds(
        draw,
        st.sampled_from(list(GENERATORS)),
        st.sampled_from(grids),
        st.integers(0, 10**6),
    )


def held_back(grid: int, count: int) -> MazeSet:
    """Depth-first mazes of the test split, one question each."""
    stream = StreamConfig(MazeConfig("dfs", grid), split="test")
    return MazeStream(stream).take(0, count)


def logits_that_turn(forks, layer_of_way, layers: int):
    """A wrong way leads by one up to a layer of its own, then the right one does."""
    fork, token = (forks.ways[name].to_numpy() for name in ("fork", "token"))
    found = np.full((layers + 1, len(forks.right), 60), -9.0)
    found[:, np.arange(len(forks.right)), forks.right] = 0.0
    wrong = ~forks.ways["right"].to_numpy()
    behind = np.arange(layers + 1)[:, None] < layer_of_way[wrong]
    found[:, fork[wrong], token[wrong]] = np.where(behind, 1.0, -1.0)
    return found
