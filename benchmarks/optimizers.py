"""A Muon step over a model's matrices: stacked by shape, and torch.optim.Muon's own.

Both make the same update (tests/training/test_muon.py); what differs is how many small
products it takes. Beside it, what the gradient of a batch costs: parts of the batch in
processes of their own against torch's use of as many threads, and mazelib.training.lean
against the model's own forward with a mask and autocast; for short sequences, and for
long ones, which are worked out in pieces.
"""

import argparse
from dataclasses import replace
from itertools import islice

import torch
from rounds import compare, table
from steps import BASE, changed

from mazelib.models.model import build
from mazelib.training.gradients import Gradients
from mazelib.training.lean import LeanLoss
from mazelib.training.losses import PlainLoss
from mazelib.training.muon import StackedMuon, hidden_matrices
from mazelib.training.recipe import TrainConfig
from mazelib.training.run import TrainingRun


def muon_step(kind: type, **options):
    """Work for `compare`: ten updates of the zoo's hidden matrices."""
    matrices = hidden_matrices(build(BASE.model))
    for matrix in matrices:
        matrix.grad = torch.randn_like(matrix)
    optimizer = kind(matrices, lr=1e-4, **options)

    def work() -> int:
        for _ in range(10):
            optimizer.step()
        return 10

    return work


def gradient(
    config: TrainConfig,
    seed: int,
    parts: int,
    loss: type = LeanLoss,
    attention: str = "sdpa",
):
    """Work for `compare`: two batches are drawn, and their gradients, in so many parts.

    Each side needs a seed of its own: shapes that one has met are known to the others.
    """
    run = TrainingRun(replace(config, mazes=replace(config.mazes, seed=seed)))
    for _ in range(3):  # from the first on, most gradients are zero
        run.step()
    run.model.set_attn_implementation(attention)
    gradients = Gradients(loss(run.model), parts)

    def work() -> int:
        for batch in islice(run.batches, 2):  # others each time, as in training
            gradients(batch, run.count(batch))
        return 2

    return work


def main() -> None:
    """Run the comparisons, each turn by turn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    sides = {
        "stacked by shape": muon_step(StackedMuon),
        "torch.optim.Muon": muon_step(torch.optim.Muon, weight_decay=0.0),
    }
    rates = compare(sides, rounds)
    print(table("Muon steps, 8 × 96", "a second", rates, "stacked by shape"))
    threads = torch.get_num_threads()
    for title, config in {
        "one token a cell": BASE,
        "pairs": changed("scheme", "ctt"),
    }.items():
        sides = {
            f"lean, {threads} processes": gradient(config, 0, threads),
            f"lean, {threads} threads": gradient(config, 1, 0),
            "own forward, sdpa": gradient(config, 2, 0, PlainLoss),
            "own forward, eager": gradient(config, 3, 0, PlainLoss, "eager"),
        }
        rates = compare(sides, rounds)
        title = f"Gradients of a batch, 8 × 96, {title}"
        print(table(title, "a second", rates, next(iter(sides))))


if __name__ == "__main__":
    main()
