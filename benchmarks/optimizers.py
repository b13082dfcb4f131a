"""A Muon step over a model's matrices: stacked by shape, and torch.optim.Muon's own.

Both make the same update (tests/test_optimizer.py); what differs is how many small
products it takes. Beside it, what the gradient of a batch costs: parts of the batch in
threads of their own against torch's own use of the same threads, and attention over
packed questions (mazelib.attention) against torch's over all pairs of tokens, masked.
"""

import argparse

import torch
from rounds import compare, table
from steps import BASE

from mazelib.model import build
from mazelib.optimizer import StackedMuon, hidden_matrices
from mazelib.run import TrainingRun


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


def gradient(parts: int, attention: str = "lean"):
    """Work for `compare`: the gradients of two batches in so many parts."""
    run = TrainingRun(BASE)
    for _ in range(3):  # from the first on, most gradients are zero
        run.step()
    run.gradients.parts = parts
    run.gradients.is_lean = attention == "lean"
    run.model.set_attn_implementation(attention)
    batch = next(run.batches)
    count = run.count(batch)

    def work() -> int:
        for _ in range(2):
            run.gradients(batch, count)
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
    sides = {
        f"{threads} parts, a thread each": gradient(threads),
        f"whole, {threads} threads": gradient(1),
    }
    rates = compare(sides, rounds)
    print(table("Gradients of a batch, 8 × 96", "a second", rates, next(iter(sides))))
    sides = {
        "packed attention": gradient(threads),
        "masked attention, sdpa": gradient(threads, "sdpa"),
        "masked attention, eager": gradient(threads, "eager"),
    }
    rates = compare(sides, rounds)
    print(table("Gradients of a batch, 8 × 96", "a second", rates, "packed attention"))


if __name__ == "__main__":
    main()
