"""How the time of a training step grows, and its share of the machine's peak.

One step of the zoo's shape (8 layers × 96, 5×5 mazes, 16 of them with 8 questions each)
against steps with one thing changed: the grid's side, the layers, the width, the batch,
the token scheme.
A step's work is counted in multiply-adds that cannot be left out: 3 passes over every
weight matrix for every token, and over every pair of tokens that may see each other.
The peak is that of the machine's own best large matrix product, in the same precision.
"""

import argparse
import statistics
import time
from dataclasses import replace

import torch

from mazelib.dataset.stream import StreamConfig
from mazelib.mazes.generators import MazeConfig
from mazelib.models.model import MazeModelConfig
from mazelib.tokens.encoding import LIST_SEGMENT
from mazelib.training.losses import autocast
from mazelib.training.muon import hidden_matrices
from mazelib.training.recipe import TrainConfig
from mazelib.training.run import TrainingRun

BASE = TrainConfig(
    StreamConfig(MazeConfig("dfs", 5), questions=8),
    MazeModelConfig(side=10, layers=8, width=96, max_positions=2048),
    validation=1,
)
CHANGES = {
    "side": (4, 5, 6, 7, 10),
    "layers": (2, 4, 8, 12),
    "width": (64, 96, 128, 192),
    "batch": (4, 8, 16, 32),
    "questions": (1, 4, 8, 16),
    "scheme": ("ut", "walls", "ctt"),
}


def changed(name: str, value: int | str) -> TrainConfig:
    """The base run with one thing changed."""
    if name == "side":
        mazes = replace(BASE.mazes, mazes=MazeConfig("dfs", value))
        return replace(BASE, mazes=mazes)
    if name == "questions":
        return replace(BASE, mazes=replace(BASE.mazes, questions=value))
    if name == "batch":
        return replace(BASE, batch=value)
    return replace(BASE, model=replace(BASE.model, **{name: value}))


def work(run: TrainingRun) -> float:
    """Floating-point operations of a step: 6 for each weight and token or pair."""
    batch = next(run.batches)
    tokens = int((batch.segment >= LIST_SEGMENT).sum())
    segment = torch.from_numpy(batch.segment)
    rows, columns = segment[:, :, None], segment[:, None, :]
    visible = ((rows == columns) | (columns == LIST_SEGMENT)).tril()
    pairs = int((visible & (rows >= LIST_SEGMENT)).sum())
    weights = sum(p.numel() for p in hidden_matrices(run.model))
    weights += run.model.lm_head.weight.numel()
    shape = run.config.model
    return 6.0 * (weights * tokens + 2 * shape.layers * shape.width * pairs)


def peak(size: int = 2048, rounds: int = 5) -> float:
    """Floating-point operations a second of a large product, as training multiplies."""
    a, b = torch.randn(size, size), torch.randn(size, size)
    with autocast("cpu"):
        dtype = torch.mm(a, b).dtype
    a, b, times = a.to(dtype), b.to(dtype), []
    for _ in range(rounds + 1):
        started = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - started)
    return 2 * size**3 / min(times)


def seconds(run: TrainingRun, steps: int) -> float:
    """The median time of a step."""
    times = []
    for _ in range(steps):
        started = time.perf_counter()
        run.step()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Print a table for each thing that is changed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
    base = TrainingRun(BASE)
    seconds(base, 2)
    print("A training step against the zoo's own (8 × 96, 5×5, 16 mazes, 8 questions)")
    for name, values in CHANGES.items():
        for value in values:
            run = TrainingRun(changed(name, value))
            seconds(run, 2)
            mine, its = seconds(base, arguments.steps), seconds(run, arguments.steps)
            share = work(run) / its / peak()
            print(
                f"  {name:<10}{value:>5}   time ×{its / mine:5.2f}   peak {share:4.0%}"
            )


if __name__ == "__main__":
    main()
